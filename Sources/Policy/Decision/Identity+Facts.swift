import Core

/// What actions ask of an identity beside what templates do.
extension Identity {
    /// How the caller was recognised; nil for nobody.
    package var method: String? {
        var text: [UInt8] = []
        return appendMethod(to: &text) ? String(decoding: text, as: UTF8.self) : nil
    }
}
