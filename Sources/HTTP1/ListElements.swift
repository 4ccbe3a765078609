import Core

extension Span where Element == UInt8 {
    /// Equal to an ASCII literal byte for byte.
    @inline(__always)
    func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return literal.withUTF8Buffer { buffer in
            for index in 0..<buffer.count where unsafe self[index] != buffer[index] { return false }
            return true
        }
    }

    /// One element of this comma-separated list is `lowercase`, whatever its case (RFC 9110 §5.6.1).
    func listContains(_ lowercase: StaticString) -> Bool {
        var start = 0
        while start < count {
            let end = firstIndex(of: 0x2C, from: start) ?? count
            if extracting(trimmed(start..<end)).equalsIgnoringCase(lowercase) { return true }
            start = end &+ 1
        }
        return false
    }
}
