import Policy

extension KeySet.SkippedKey {
    /// One line for an operator, for logs and `check`: `keys[3] "kid" is not used: not for verifying signatures`.
    var line: String {
        let kid = kid.map { " \"\(OneLine.quoted($0))\"" } ?? ""
        return "keys[\(index)]\(kid) is not used: \(reason.rawValue)"
    }
}
