import Core

/// Why a test's request cannot be made.
struct RehearsalFault: Error {
    let member: String
    let expected: String
    let found: String
    let position: SourcePosition

    init(_ member: String, _ expected: String, _ found: String, at position: SourcePosition) {
        self.member = member
        self.expected = expected
        self.found = found
        self.position = position
    }
}
