/// The head of a request as somebody captured it: with any line ends, cut out of what `curl -v` prints, of any version.
struct CapturedHead {
    /// A whole head with CR LF.
    private(set) var bytes: [UInt8] = []
    /// `curl -v` tells of TLS.
    private(set) var isSecure = false
    private(set) var isOfHTTP2 = false

    init(_ text: [UInt8]) {
        var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).map { $0.last == 0x0D ? $0.dropLast() : $0 }
        if lines.contains(where: { $0.starts(with: "> ".utf8) }) {
            isSecure = lines.contains { String(decoding: $0, as: UTF8.self).hasPrefix("* SSL connection using") }
            lines = lines.drop { !$0.starts(with: "> ".utf8) }.filter { $0.first == 0x3E }
                .map { $0.dropFirst($0.dropFirst().first == 0x20 ? 2 : 1) }
        }
        for line in lines {
            bytes += line
            bytes += [0x0D, 0x0A]
            if line.isEmpty { return }
        }
        // The text may end with its last line, or with a line end behind it.
        if bytes.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) { return }
        bytes += [0x0D, 0x0A]
    }

    /// Browsers and curl write requests of HTTP/2 and later as those of HTTP/1.1 but for the version.
    mutating func takeVersion() {
        guard let end = bytes.firstIndex(of: 0x0D) else { return }
        for version in ["HTTP/2", "HTTP/2.0", "HTTP/3"] where bytes[..<end].reversed().starts(with: " \(version)".utf8.reversed()) {
            bytes.replaceSubrange(end - version.utf8.count..<end, with: "HTTP/1.1".utf8)
            isOfHTTP2 = true
            return
        }
    }
}
