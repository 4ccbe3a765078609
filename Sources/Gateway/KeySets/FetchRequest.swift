import Core

/// A request the gateway makes on its own account, over a connection of its own.
struct FetchRequest: Sendable {
    /// http or https; see `FetchAddress`.
    var url: String
    var method = "GET"
    var accept = "application/json"
    /// Lines to add. Names are tokens and values field values: nothing here is checked again.
    var fields: [(name: String, value: [UInt8])] = []
    /// Sent with its length when there is some; its type is among `fields`.
    var content: [UInt8]?
    /// The answers that are what was asked for. Redirects are never among them.
    var acceptedStatuses = 200...200

    /// The whole message (RFC 9112 §2.1), after which the connection is to be closed.
    func message(to address: FetchAddress) -> [UInt8] {
        var head =
            """
            \(method) \(address.target) HTTP/1.1\r
            Host: \(address.hostField)\r
            Accept: \(accept)\r
            Accept-Encoding: identity\r
            User-Agent: portcullis\r
            Connection: close\r

            """
        if let content { head += "Content-Length: \(content.count)\r\n" }
        var message = Array(head.utf8)
        for field in fields {
            message += Array(field.name.utf8)
            message.append(": ")
            message += field.value
            message.append("\r\n")
        }
        message.append("\r\n")
        return message + (content ?? [])
    }
}
