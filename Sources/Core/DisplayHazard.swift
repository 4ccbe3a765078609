extension Unicode.Scalar {
    /// Shown as it is, the character could forge what a reader of a log or a terminal sees: controls (C0, DEL, C1), the line and
    /// paragraph separators, and the marks that turn the direction of what follows (UAX #9).
    package var isDisplayHazard: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension String {
    /// The text with "?" for every display hazard but those that `isKept` names.
    package func withoutDisplayHazards(except isKept: (Unicode.Scalar) -> Bool = { _ in false }) -> String {
        // Nearly every text has none.
        guard unicodeScalars.contains(where: { $0.isDisplayHazard && !isKept($0) }) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.isDisplayHazard && !isKept($0) ? "?" : $0 }))
    }
}
