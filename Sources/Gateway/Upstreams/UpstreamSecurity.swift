import Crypto

/// How connections to one server are secured.
struct UpstreamSecurity {
    /// Offers in ALPN what is configured.
    let context: TLSClientContext
    /// Offers HTTP/1.1 alone.
    let http1Context: TLSClientContext
    /// Whom the server has to prove to be.
    let name: TLSServerName

    /// Nil for a server spoken with in clear.
    init?(_ security: CompiledClientTLS?, name: TLSServerName?) {
        guard let security, let name else { return nil }
        context = security.context
        http1Context = security.upgradeContext
        self.name = name
    }

    /// Nothing differs that a server is believed by. A context stays the same object while nothing it was made from
    /// changes.
    func isSame(as other: UpstreamSecurity) -> Bool { context === other.context && name == other.name }
}
