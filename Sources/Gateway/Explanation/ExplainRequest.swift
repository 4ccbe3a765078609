package import Core
import Policy

/// A request to be explained: the bytes of its head, and what is to be supposed of its connection.
package struct ExplainRequest: Sendable, Equatable {
    package var head: [UInt8]
    package var isSecure: Bool
    /// The port the request is for.
    package var port: UInt16
    /// The other end of the connection; nil where nothing was said of it.
    package var client: IPAddress?
    /// When it is made; nil for now.
    package var time: WallTime?
    /// What was left aside in making it.
    package var remarks: [String] = []

    private static let unknownPort: UInt16 = 80

    /// A head as somebody captured it: lines end with LF or CR LF, the empty line at its end may be missing.
    package static func raw(_ text: [UInt8]) throws(ExplainFault) -> ExplainRequest {
        guard !text.isEmpty else { throw ExplainFault("no request: standard input is empty") }
        var head: [UInt8] = []
        var previous: UInt8 = 0
        for byte in text {
            if byte == 0x0A, previous != 0x0D { head.append(0x0D) }
            head.append(byte)
            previous = byte
            if head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) { break }
        }
        if previous != 0x0A { head += [0x0D, 0x0A] }
        if !head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) { head += [0x0D, 0x0A] }
        return ExplainRequest(head: head, isSecure: false, port: unknownPort)
    }

    /// A request put together: Host and content length where the headers do not have them.
    /// - Parameter contentBytes: how much content it announces, not negative.
    package static func made(
        method: String, url: String, headers: [(name: String, value: String)], contentBytes: Int?
    ) throws(ExplainFault) -> ExplainRequest {
        let target = try Target(url)
        guard !method.isEmpty, method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ExplainFault("\"\(OneLine.quoted(method))\" is no method")
        }
        if let contentBytes, contentBytes < 0 { throw ExplainFault("\(contentBytes) is no number of bytes") }
        var head = "\(method) \(target.pathAndQuery) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.name.lowercased() == "host" }) { head += "Host: \(target.authority)\r\n" }
        for header in headers {
            let line = "\(header.name): \(header.value)"
            guard !line.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 }) else {
                throw ExplainFault("the header \"\(OneLine.quoted(header.name))\" has a line break in it")
            }
            head += line + "\r\n"
        }
        let isCounted = headers.contains {
            ["content-length", "transfer-encoding"].contains($0.name.lowercased())
        }
        if let contentBytes, !isCounted { head += "Content-Length: \(contentBytes)\r\n" }
        var request = ExplainRequest(
            head: Array((head + "\r\n").utf8), isSecure: target.isSecure, port: target.port)
        if target.isLoopback { request.client = IPAddress(v4: 0x7F00_0001) }
        return request
    }
}

/// An `http` or `https` URL taken apart; one without a scheme is `http`, as curl reads it.
private struct Target {
    var isSecure = false
    var authority: String
    var pathAndQuery: String
    var port: UInt16

    init(_ url: String) throws(ExplainFault) {
        var rest = url[...]
        if let end = url.range(of: "://") {
            let scheme = url[..<end].lowercased()
            guard scheme == "http" || scheme == "https" else {
                throw ExplainFault("\"\(OneLine.quoted(url))\" is no http or https URL")
            }
            isSecure = scheme == "https"
            rest = url[url.index(end, offsetBy: 3)...]
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        authority = String(rest[..<end])
        if let at = authority.lastIndex(of: "@") { authority = String(authority[authority.index(after: at)...]) }
        guard Authority.isValidAuthority(authority.utf8.span) else {
            throw ExplainFault("\"\(OneLine.quoted(url))\" is no URL of a host")
        }
        let tail = String(rest[end...])
        pathAndQuery = tail.hasPrefix("/") ? tail : "/" + tail
        guard pathAndQuery.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ExplainFault("the URL has a blank or a byte in it that must be percent-encoded")
        }
        port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]) else {
                throw ExplainFault("\"\(OneLine.quoted(authority))\" has no port between 0 and 65535")
            }
            port = number
        }
    }

    var isLoopback: Bool {
        let host = authority.lowercased()
        return host.hasPrefix("localhost") || host.hasPrefix("127.") || host.hasPrefix("[::1]")
    }
}

extension String {
    /// Where the first occurrence of `text` begins.
    fileprivate func range(of text: String) -> String.Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start }
            start = index(after: start)
        }
        return nil
    }
}
