package import Core
package import Policy

/// A request to be explained: the bytes of its head, and what is to be supposed of its connection.
package struct ExplainRequest: Sendable, Equatable {
    package var head: [UInt8]
    package var isSecure: Bool
    /// The port the request is for; nil where nothing tells.
    package var port: UInt16?
    /// The version of HTTP it is sent in; nil where nothing tells.
    package var version: WireProtocol?
    /// What the client connects to, where the URL has an address.
    package var address: IPAddress?
    /// The other end of the connection; nil where nothing was said of it.
    package var client: IPAddress?
    /// When it is made; nil for now.
    package var time: WallTime?
    /// A client certificate with its chain, in PEM form.
    package var certificate: [UInt8]?
    /// The file that a command line says it is in. Nobody but the command line reads it.
    package var certificatePath: String?
    /// What was left aside in making it.
    package var remarks: [String] = []

    /// A head as somebody captured it: lines end with LF or CR LF, the empty line at its end may be missing. A curl command
    /// is read as one, and of what `curl -v` prints the lines that were sent.
    package static func raw(_ text: [UInt8]) throws(ExplainFault) -> ExplainRequest {
        guard !text.isEmpty else { throw ExplainFault("no request: standard input is empty") }
        let start = text.drop { $0 <= 0x20 }
        let shown = [0x24, 0x25].contains(start.first) ? start.dropFirst().drop { $0 == 0x20 } : start
        if shown.starts(with: "curl".utf8), shown.dropFirst(4).first.map({ $0 == 0x20 || $0 == 0x5C }) ?? false {
            return try CurlCommand.request(String(decoding: text, as: UTF8.self))
        }
        var captured = CapturedHead(text)
        captured.takeVersion()
        var request = ExplainRequest(head: captured.bytes, isSecure: captured.isSecure)
        request.version = captured.isOfHTTP2 ? .http2 : nil
        if captured.isOfHTTP2 { request.remarks.append("the decision is the same over HTTP/2") }
        return request
    }

    /// The text of a client certificate's file.
    package static func certificate(inFile path: String) throws(ExplainFault) -> [UInt8] {
        do throws(LocalFileFault) { return try LocalFile(path: path).bytes(atMost: FixedBounds.pemBytes) } catch {
            throw ExplainFault(error.message)
        }
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
            head: Array((head + "\r\n").utf8), isSecure: target.isSecure, port: target.port, address: target.address)
        // Who connects to an address of this machine comes from it.
        if let address = target.address, address.isLoopback {
            request.client = address.family == .v6 ? address : IPAddress(v4: 0x7F00_0001)
        }
        return request
    }
}
