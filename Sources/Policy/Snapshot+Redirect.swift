package import Core

extension Snapshot {
    /// True when the client spoke https: with this gateway, or with a trusted proxy that says so.
    ///
    /// A trusted proxy's word counts in both directions: what it received in clear is in clear, though it came here over
    /// TLS. Of X-Forwarded-Proto there must be one, of Forwarded the last element counts, which is the proxy's own; with
    /// both families configured neither may say otherwise.
    package func isSecure(_ head: RequestHead, connection: ConnectionFacts) -> Bool {
        guard clientAddress.trusts(connection.peer), let word = clientAddress.saysHTTPS(head) else {
            return connection.isSecure
        }
        return word
    }

    /// Fills in the answer to a request on a listener that redirects: 308 to the same path and query over https, by the
    /// host of the request unless the listener names one. Nothing else of the request is looked at, no credential, no
    /// route.
    ///
    /// Returns false where there is nothing to redirect: a trusted proxy says that the client spoke https already. Then
    /// the request is decided like any other. A request without a host is answered 400.
    package func redirect(
        _ head: RequestHead, to target: HTTPSRedirect, connection: ConnectionFacts, requestID: Span<UInt8>,
        now: ClockReading, into answer: inout LocalAnswer
    ) -> Bool {
        if isSecure(head, connection: connection) { return false }
        let bytes = head.bytes.span
        let authority = bytes.extracting(head.authority.range)
        guard target.host != nil || Authority.isValidAuthority(authority) else {
            let refusal = Refusal(
                denial: .malformedRequest(
                    reason: "host_missing", status: 400, detail: "The request has no host to be redirected to."),
                client: connection.peer)
            self.answer(refusal, requestID: requestID, now: now, head: nil, into: &answer)
            return true
        }
        answer.removeAll()
        answer.status = 308
        answer.lines.append(name: "Location") { location in
            location.append("https://")
            if let host = target.host {
                location.append(contentsOf: host.utf8.span)
            } else {
                location.append(contentsOf: authority.extracting(Authority.hostRange(in: authority)))
            }
            if target.port != 443 {
                location.append(0x3A)
                location.append(decimal: target.port)
            }
            // `OPTIONS *` has no path; the root is as near as it gets.
            let path = bytes.extracting(head.path.range)
            if head.targetForm == .asterisk || path.count == 0 {
                location.append(0x2F)
            } else {
                location.append(contentsOf: path)
            }
            if head.hasQuery {
                location.append(0x3F)
                location.append(contentsOf: bytes.extracting(head.query.range))
            }
        }
        answer.lines.append(name: "X-Request-ID", value: requestID)
        cors?.append(to: &answer.lines, for: head)
        return true
    }
}
