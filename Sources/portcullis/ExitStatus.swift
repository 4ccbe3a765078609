/// How commands end.
enum ExitStatus {
    /// What was looked at is not in order.
    static let refused: Int32 = 1
    /// The command could not do its work: bad arguments, an unreadable file.
    static let unusable: Int32 = 2
}
