package import Core

/// Something a policy names that cannot be used: a file that cannot be read, a secret that is not there.
package struct CompileFault: Error, Sendable, Equatable {
    package var code: DiagnosticCode
    /// One line without a full stop.
    package var message: String
    /// The file and place in it, when that is not the policy file.
    package var file: String?
    package var position: SourcePosition?

    package init(_ code: DiagnosticCode, _ message: String, file: String? = nil, position: SourcePosition? = nil) {
        self.code = code
        self.message = message
        self.file = file
        self.position = position
    }
}
