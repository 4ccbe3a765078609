package import Core

/// What came of one of a policy's tests.
package struct PolicyTestResult: Sendable {
    /// Something that was to be one way and is another.
    package struct Mismatch: Sendable, Equatable {
        /// The member of the expectation, as in `expect.status`.
        package var member: String
        package var expected: String
        package var found: String
        /// Where the expectation stands.
        package var position: SourcePosition
    }

    package var name: String
    package var file: String
    package var position: SourcePosition
    package var path: String
    package var mismatches: [Mismatch]

    package var isMet: Bool { mismatches.isEmpty }
}

extension PolicyTestResult {
    /// The failed test as an error of the policy, at the first expectation that was not met; nil when all were.
    package var diagnostic: Diagnostic? {
        guard let first = mismatches.first else { return nil }
        let parts = mismatches.map { "\($0.member) is \($0.found), expected \($0.expected)" }
        return Diagnostic(
            .error, .testFailed, file: file, position: first.position, path: path,
            message: "the test \(quoted(name)) failed: \(parts.joined(separator: "; "))")
    }
}
