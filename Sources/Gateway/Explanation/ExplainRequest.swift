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

    /// A request put together: Host, the credentials of the URL and content length where the headers do not have them.
    /// - Parameter contentBytes: how much content it announces, not negative.
    package static func made(
        method: String, url: String, headers: [(name: String, value: String)], contentBytes: Int?
    ) throws(ExplainFault) -> ExplainRequest {
        try made(method: method, target: try ExplainTarget(url), headers: headers, contentBytes: contentBytes)
    }

    /// The same, of a URL that was taken apart.
    static func made(
        method: String, target: ExplainTarget, headers: [(name: String, value: String)], contentBytes: Int?
    ) throws(ExplainFault) -> ExplainRequest {
        guard !method.isEmpty, method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ExplainFault("the method is empty, or has a blank or a control character in it")
        }
        if let contentBytes, contentBytes < 0 { throw ExplainFault("\(contentBytes) is no number of bytes") }
        func has(_ names: [String]) -> Bool { headers.contains { names.contains($0.name.lowercased()) } }
        var head = "\(method) \(target.pathAndQuery) HTTP/1.1\r\n"
        if !has(["host"]) { head += "Host: \(target.authority)\r\n" }
        if let userinfo = target.userinfo, !has(["authorization"]) {
            head += "Authorization: \(BasicCredentials.value(userinfo))\r\n"
        }
        for header in headers {
            let line = "\(header.name): \(header.value)"
            guard !line.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 }) else {
                throw ExplainFault("a header has a line break in it")
            }
            head += line + "\r\n"
        }
        if let contentBytes, !has(["content-length", "transfer-encoding"]) { head += "Content-Length: \(contentBytes)\r\n" }
        var request = ExplainRequest(
            head: Array((head + "\r\n").utf8), isSecure: target.isSecure, port: target.port)
        if target.isLoopback { request.client = IPAddress(v4: 0x7F00_0001) }
        return request
    }
}
