import Core

/// The pseudo-fields of one request (RFC 9113 §8.3.1, RFC 8441 §4), kept until all are there, since they come in any
/// order.
struct PseudoFields {
    private(set) var bytes: [UInt8] = []
    private(set) var method = ByteRange.empty
    private(set) var scheme = ByteRange.empty
    private(set) var path = ByteRange.empty
    private(set) var authority = ByteRange.empty
    /// The value of `:protocol`.
    private(set) var proto = ByteRange.empty
    private(set) var hasAuthority = false
    private(set) var hasProtocol = false

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        method = .empty
        scheme = .empty
        path = .empty
        authority = .empty
        proto = .empty
        hasAuthority = false
        hasProtocol = false
    }

    /// Takes a field whose name begins with a colon; false for one that is unknown.
    mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        let range = ByteRange(start: bytes.count, count: value.count)
        switch name.count {
        case 5:
            guard name.equals(":path") else { return false }
            path = range
        case 7:
            if name.equals(":method") {
                method = range
            } else if name.equals(":scheme") {
                scheme = range
            } else {
                return false
            }
        case 9:
            guard name.equals(":protocol") else { return false }
            proto = range
            hasProtocol = true
        case 10:
            guard name.equals(":authority") else { return false }
            authority = range
            hasAuthority = true
        default: return false
        }
        bytes.append(contentsOf: value)
        return true
    }
}
