package import Core

/// Whom a client means to reach: what goes into SNI, and what the server's certificate has to be made out to.
package enum TLSServerName: Hashable, Sendable {
    /// A host name. SNI carries it, and a DNS name among the certificate's subject alternative names has to match it.
    case host(String)
    /// An address. It is not sent (RFC 6066 §3), and an IP address among the alternative names has to equal it.
    case address(IPAddress)

    /// An address where `text` is one, with or without brackets; a host name otherwise, in lower case, without the dot
    /// at its end.
    package init(_ text: String) {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        if let address = IPAddress(bare) {
            self = .address(address)
        } else {
            self = .host((text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased())
        }
    }
}
