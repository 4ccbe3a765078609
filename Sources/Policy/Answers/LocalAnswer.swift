package import Core

/// An answer of the gateway's own, without the fields of framing, Date and Connection. One value is reused.
package struct LocalAnswer: ~Copyable, Sendable {
    package var status = 0
    package var lines = HeaderLines()
    package var body: [UInt8] = []

    package init() {}

    /// Empties the answer but keeps its storage.
    package mutating func removeAll() {
        status = 0
        lines.removeAll()
        body.removeAll(keepingCapacity: true)
    }
}
