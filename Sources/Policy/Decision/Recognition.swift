/// What became of the question who is calling.
enum Recognition {
    case identity(Identity, fingerprint: UInt32?)
    /// No credential is shown where one is looked for.
    case missing
    case refused(Refusal)
    /// A key set that may be fetched could tell; else the refusal holds.
    case wait(KeySetCell, Refusal)
}
