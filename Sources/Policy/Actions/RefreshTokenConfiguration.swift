package struct RefreshTokenConfiguration: Sendable {
    /// Name of the key set that signs.
    package var keySet: Located<String>

    package init(keySet: Located<String>) {
        self.keySet = keySet
    }
}
