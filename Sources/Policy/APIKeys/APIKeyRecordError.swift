package import Core

/// One thing wrong with an API key record. Never quotes what may be a secret.
package struct APIKeyRecordError: Error, Equatable, Sendable {
    package var code: DiagnosticCode
    /// Path of the member, as in `authenticators.keys.keys[0].expires_at`; relative to the record when it stands in a
    /// keys file.
    package var path: String
    /// First byte of the member or value that is meant.
    package var position: SourcePosition
    /// One line without a full stop.
    package var message: String

    package init(_ code: DiagnosticCode, path: String, position: SourcePosition, message: String) {
        self.code = code
        self.path = path
        self.position = position
        self.message = message
    }
}
