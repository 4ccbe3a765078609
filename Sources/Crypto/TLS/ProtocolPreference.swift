import COpenSSL
import Core

/// A server's side of ALPN (RFC 7301 §3.2): the first of its protocols that the client offers too.
final class ProtocolPreference: Sendable {
    private let protocols: [TLSApplicationProtocol]

    init(_ protocols: [TLSApplicationProtocol]) { self.protocols = protocols }

    /// Where the chosen name stands in a client's list, a length before each name; nil when nothing is shared or the
    /// list is not well-formed.
    func choose(from offered: Span<UInt8>) -> Range<Int>? {
        var best = protocols.count
        var choice: Range<Int>?
        var index = 0
        while index < offered.count {
            let start = index &+ 1
            let end = start &+ Int(offered[index])
            guard end > start, end <= offered.count else { return nil }
            if let name = TLSApplicationProtocol(offered.extracting(start..<end)),
                let rank = protocols.firstIndex(of: name), rank < best
            {
                best = rank
                choice = start..<end
            }
            index = end
        }
        return choice
    }

    /// The object has to outlive the connections of `context`.
    func install(in context: OpenSSLContext) {
        let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe SSL_CTX_set_alpn_select_cb(context.pointer, { _, chosen, chosenCount, list, count, argument in
            guard let argument = unsafe argument, let list = unsafe list else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            let preference = unsafe Unmanaged<ProtocolPreference>.fromOpaque(argument).takeUnretainedValue()
            // The list belongs to OpenSSL and outlives the call, as it asks of a choice that points into it.
            let offered = unsafe Span<UInt8>(_unsafeStart: list, count: Int(count))
            guard let choice = preference.choose(from: offered) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            unsafe chosen?.pointee = list + choice.lowerBound
            unsafe chosenCount?.pointee = UInt8(truncatingIfNeeded: choice.count)
            return SSL_TLSEXT_ERR_OK
        }, argument)
    }
}
