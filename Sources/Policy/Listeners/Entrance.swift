package import Core

/// The listener a request would come in by, and what becomes of it there before anything else is asked.
package struct Entrance: Sendable {
    package enum Verdict: Sendable {
        /// It is served.
        case served
        /// It is answered without being looked at.
        case refused(Denial)
        /// It is sent to https.
        case redirected(HTTPSRedirect)
        /// No connection comes about, and so no answer; why, in a sentence.
        case noConnection(String)
    }

    /// What the client shows in its handshake.
    package enum Certificate: Sendable, Equatable {
        case none
        case good
        /// No authority of the listener's vouches for it.
        case bad(String)
    }

    package let listener: ListenerConfiguration
    /// Place in the file's `listeners`, from 0.
    package let index: Int
    /// The listener has the port of the request; otherwise it is only the one that fits best.
    package let isExact: Bool
    private let isSecure: Bool
    /// The version of HTTP that the client speaks; nil where nothing tells, and so what the listener speaks.
    package var version: WireProtocol?

    /// The listener for a port; where none has it, the one that speaks what the client speaks: what stands before the
    /// gateway may have another port. Nil where no listener does.
    /// - Parameters:
    ///   - port: nil for one that is not known.
    ///   - address: what the client connects to, where that is said by an address.
    package init?(
        _ listeners: [ListenerConfiguration], port: UInt16?, isSecure: Bool, address: IPAddress? = nil
    ) {
        let places = listeners.indices
        let exact = places.filter { port != nil && listeners[$0].address.port == port }
        let own = exact.first { $0 < listeners.count && listeners[$0].address.address == address } ?? exact.first
        let alike = places.filter { (listeners[$0].tls != nil) == isSecure }
        guard let place = own ?? alike.first(where: { listeners[$0].redirect == nil }) ?? alike.first else { return nil }
        listener = listeners[place]
        index = place
        isExact = own != nil
        self.isSecure = isSecure
    }

    /// A client that has a certificate shows it here.
    var asksForCertificates: Bool { isSecure && listener.tls.map { $0.clientCertificates != .none } ?? false }

    package func verdict(_ certificate: Certificate) -> Verdict {
        guard let tls = listener.tls else {
            if isSecure { return .noConnection("the client begins with TLS, and the listener speaks none") }
            if let version, !listener.protocols.contains(version) {
                return .refused(Denial(version == .http11 ? .http2Required : .versionNotSupported))
            }
            return listener.redirect.map(Verdict.redirected) ?? .served
        }
        guard isSecure else { return .refused(Denial(.plainHTTPOnTLSPort)) }
        if version == .http11, !listener.protocols.contains(.http11) {
            return .noConnection("the client offers HTTP/1.1 in its handshake, and the listener speaks HTTP/2 alone")
        }
        switch (tls.clientCertificates, certificate) {
        case (.none, _), (_, .good), (.optional, .none): return .served
        case (.require, .none): return .noConnection("the listener wants a client certificate, and none is shown")
        case (.optional, .bad(let why)), (.require, .bad(let why)):
            return .noConnection("the client certificate is not vouched for: \(why)")
        }
    }
}

extension Denial {
    package init(_ fault: RequestFault) {
        self = .malformedRequest(reason: fault.reason, status: fault.status, detail: fault.detail)
    }
}
