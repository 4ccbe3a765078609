import Core

extension ByteBuffer {
    /// Appends the field lines of a head or a trailer section for which `passes` holds, as received. Lines that stand
    /// together go in one copy, so that a head of which little is dropped costs few.
    @inline(__always)
    mutating func append(passing fields: [FieldLine], of bytes: Span<UInt8>, where passes: (FieldLine) -> Bool) {
        // The empty line behind the fields is not part of any.
        let sectionEnd = bytes.count &- 2
        var runStart = 0
        var isRunning = false
        for line in fields {
            if passes(line) {
                if !isRunning { runStart = Int(line.name.start) }
                isRunning = true
            } else if isRunning {
                append(contentsOf: bytes.extracting(runStart..<Int(line.name.start)))
                isRunning = false
            }
        }
        if isRunning { append(contentsOf: bytes.extracting(runStart..<sectionEnd)) }
    }

    /// Appends a Content-Length line.
    mutating func append(contentLength count: UInt64) {
        append("Content-Length: ")
        append(decimal: count)
        append("\r\n")
    }
}
