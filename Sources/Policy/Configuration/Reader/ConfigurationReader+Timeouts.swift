import Core

/// How long an exchange may take.
extension ConfigurationReader {
    /// A duration, or "off", which is read as `.max`.
    mutating func idleTimeout(_ node: LocatedNode?) -> Nanoseconds? {
        if let node, case .string("off") = node.value { return .max }
        return duration(node, in: Self.timeouts)
    }
}
