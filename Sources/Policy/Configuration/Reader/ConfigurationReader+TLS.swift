import Core

/// TLS with clients and with servers.
extension ConfigurationReader {
    mutating func listenerTLS(_ node: LocatedNode?) -> ListenerTLSConfiguration? {
        guard let node, let members = object(node, .listenerTLS) else { return nil }
        var tls = ListenerTLSConfiguration(certificates: certificates(members, at: node), position: node.position)
        tls.clientCA = contentReference(members["client_ca"], of: "the authority's certificate")
        let mode = choice(members["client_certificates"], of: ListenerTLSConfiguration.ClientCertificates.self)
        // Whoever names an authority wants its certificates, unless the file says what else it wants.
        tls.clientCertificates = mode ?? (members["client_ca"] == nil ? .none : .require)
        checkClientCertificates(members, mode)
        tls.minimumVersion = choice(members["minimum_version"], of: MinimumTLSVersion.self) ?? tls.minimumVersion
        tls.handshakeTimeout =
            duration(members["handshake_timeout"], in: .milliseconds(100)...(.seconds(300))) ?? tls.handshakeTimeout
        tls.usesKernelTLS = boolean(members["kernel_tls"]) ?? false
        tls.ticketRotation =
            duration(members["ticket_rotation"], in: .seconds(60)...(.seconds(7 * 86_400))) ?? tls.ticketRotation
        return tls
    }

    private mutating func checkClientCertificates(
        _ members: ObjectMembers, _ mode: ListenerTLSConfiguration.ClientCertificates?
    ) {
        guard let mode, let place = members["client_certificates"] else { return }
        switch mode {
        case .none:
            guard let authority = members["client_ca"] else { return }
            report(.membersExclusive, at: authority, "\"client_certificates\" is \"none\": nobody is asked for one")
        case .optional, .require:
            if members["client_ca"] != nil { return }
            report(.memberMissing, at: place, "\"client_ca\" is missing: nobody vouches for the clients")
        }
    }

    /// One pair among the members themselves, or a list of pairs.
    private mutating func certificates(_ members: ObjectMembers, at node: LocatedNode) -> [CertificateConfiguration] {
        guard let list = members["certificates"] else {
            return inlineCertificate(members, at: node).map { [$0] } ?? []
        }
        for name in ["certificate", "key", "passphrase", "ocsp_response"] {
            guard let place = members[name] else { continue }
            report(
                .membersExclusive, at: place,
                "\(quoted(name)) stands beside \"certificates\"; put it into an element of that list")
        }
        var pairs: [CertificateConfiguration] = []
        for element in filledList(list, of: "certificates") ?? [] {
            guard let members = object(element, .certificate) else { continue }
            if let pair = certificate(members) { pairs.append(pair) }
        }
        if pairs.count > Self.certificateLimit {
            report(
                .valueOutOfRange, at: list,
                "a listener has at most \(Self.certificateLimit) certificates, found \(pairs.count)")
        }
        return pairs
    }

    /// Certificates of one listener.
    static let certificateLimit = 1000

    private mutating func certificate(_ members: ObjectMembers) -> CertificateConfiguration? {
        let certificate = contentReference(members["certificate"], of: "the certificate")
        let key = locatedSecret(members["key"])
        let passphrase = locatedSecret(members["passphrase"])
        var response: Located<SecretReference>?
        if let place = members["ocsp_response"] {
            response = contentReference(place, of: "the OCSP response")
            if case .environment = response?.value {
                report(.secretReferenceInvalid, at: place, "an OCSP response is no text; write \"file:PATH\"")
            }
        }
        guard let certificate, let key else { return nil }
        var pair = CertificateConfiguration(certificate: certificate, key: key)
        pair.passphrase = passphrase
        pair.ocspResponse = response
        return pair
    }

    /// A pair whose members stand among others, where no shape asks for them.
    private mutating func inlineCertificate(
        _ members: ObjectMembers, at node: LocatedNode
    ) -> CertificateConfiguration? {
        for name in ["certificate", "key"] where members[name] == nil {
            report(.memberMissing, at: node, "the member \(quoted(name)) is missing")
        }
        return certificate(members)
    }

    mutating func upstreamTLS(_ node: LocatedNode) -> UpstreamTLSConfiguration {
        var tls = UpstreamTLSConfiguration()
        guard let members = object(node, .upstreamTLS) else { return tls }
        tls.ca = contentReference(members["ca"], of: "the authority's certificate")
        tls.serverName = serverName(members["server_name"])
        tls.verifies = boolean(members["verify"]) ?? true
        if !tls.verifies, let place = members["ca"] {
            report(.membersExclusive, at: place, "\"verify\" is false: no certificate is looked at")
        }
        if ["certificate", "key", "passphrase"].contains(where: { members[$0] != nil }) {
            tls.certificate = inlineCertificate(members, at: node)
        }
        tls.minimumVersion = choice(members["minimum_version"], of: MinimumTLSVersion.self) ?? tls.minimumVersion
        return tls
    }

    private mutating func serverName(_ node: LocatedNode?) -> String? {
        guard let node, let text = string(node, expected: "a host name") else { return nil }
        guard let (host, port) = Self.hostAndPort(Substring(text.value.lowercasedASCII)), port == nil else {
            report(.hostInvalid, at: node, "\(quoted(text.value)) is no host; write \"api.internal\"")
            return nil
        }
        return host
    }
}
