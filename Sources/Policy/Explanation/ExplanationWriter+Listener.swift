import Core

/// The listener that a request comes in by.
extension ExplanationWriter {
    func listenerChecks() -> [Check] {
        guard let entrance else {
            return [note("\(connection.isSecure ? "over TLS" : "in clear"); no listener is looked at")]
        }
        let listener = entrance.listener
        let rule = document.rule("listeners", .element(entrance.index))
        func member(_ name: String) -> RuleReference { document.rule("listeners", .element(entrance.index), .member(name)) }
        var checks: [Check] = []
        let name = "\(listener.address)\(listener.tls == nil ? ", in clear" : ", TLS")"
        checks.append(note(entrance.isExact ? "the listener \(name)" : "as if by the listener \(name)", rule))
        switch outcome {
        case .noConnection(let why):
            let asked = document.rule("listeners", .element(entrance.index), "tls", "client_certificates")
            checks.append(fail(why, entrance.asksForCertificates ? asked : rule))
        case .redirected: checks.append(note("requests in clear are sent to https", member("redirect_to_https")))
        case .refused where failing == .listener:
            checks.append(fail(denialText, member(listener.tls == nil ? "protocols" : "tls")))
        case .forwarded, .performed, .refused, .answered:
            guard entrance.asksForCertificates, let certificate = connection.clientCertificate else { break }
            checks.append(
                pass(
                    "the client certificate \(quoted(certificate.subject)) is vouched for",
                    document.rule("listeners", .element(entrance.index), "tls", "client_ca")))
        }
        if let from = listener.proxyProtocol?.from, AddressSet(from).contains(connection.peer) {
            checks.append(note("\(connection.peer) is to send a PROXY header first; none is supposed here", member("proxy_protocol")))
        }
        return checks
    }
}
