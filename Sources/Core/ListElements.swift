extension Span where Element == UInt8 {
    /// One element of this comma-separated list is `lowercase`, whatever its case (RFC 9110 §5.6.1).
    package func listContains(_ lowercase: StaticString) -> Bool {
        var start = 0
        while start < count {
            let end = firstIndex(of: 0x2C, from: start) ?? count
            if extracting(trimmed(start..<end)).equalsIgnoringCase(lowercase) { return true }
            start = end &+ 1
        }
        return false
    }
}
