import Core

/// A protocol that ALPN (RFC 7301) can agree on.
package enum TLSApplicationProtocol: String, CaseIterable, Sendable {
    case h2
    case http11 = "http/1.1"

    /// The protocol of this name, byte for byte.
    init?(_ name: Span<UInt8>) {
        if name.equals("h2") {
            self = .h2
        } else if name.equals("http/1.1") {
            self = .http11
        } else {
            return nil
        }
    }
}

extension [TLSApplicationProtocol] {
    /// The names, each after its length, as the extension carries them.
    var wireForm: [UInt8] {
        flatMap { [UInt8(truncatingIfNeeded: $0.rawValue.utf8.count)] + [UInt8]($0.rawValue.utf8) }
    }
}
