import Core
import Crypto
import IO
import Policy

/// Makes the TLS contexts of a policy from the files it names. Goes on after an error, so that all of them are told at
/// once. One value serves one compilation.
struct TLSCompiler {
    /// A certificate that ends sooner is warned of.
    static let expiryNotice: Nanoseconds = .seconds(14 * 86_400)

    let files: PolicyFiles
    let previous: CompiledPolicy?
    let now = EventLoop.readClocks()
    private(set) var errors: [Diagnostic] = []
    private(set) var expiries: [CertificateExpiry] = []
    private var systemRoots: TrustStore?

    init(files: PolicyFiles, previous: CompiledPolicy?) {
        self.files = files
        self.previous = previous
    }

    // MARK: Contexts

    /// Nil for a listener in clear, and after an error was noted.
    mutating func server(_ listener: ListenerConfiguration, at index: Int) -> CompiledServerTLS? {
        let before = previous?.listeners.first { $0.configuration.address == listener.address }?.security
        return server(listener, before: before, user: "listener \(listener.address)", path: "listeners[\(index)].tls")
    }

    /// The same of the admin listener.
    mutating func server(admin listener: ListenerConfiguration) -> CompiledServerTLS? {
        server(listener, before: previous?.admin?.security, user: "admin \(listener.address)", path: "admin.tls")
    }

    private mutating func server(
        _ listener: ListenerConfiguration, before: CompiledServerTLS?, user: String, path: String
    ) -> CompiledServerTLS? {
        guard let tls = listener.tls else { return nil }
        var print = Fingerprint("server \(listener.protocols.map(\.rawValue)) \(tls.clientCertificates)")
        print.add("\(tls.minimumVersion) \(tls.usesKernelTLS) \(tls.ticketRotation)")
        var choices: [TLSServerSettings.Choice] = []
        for pair in tls.certificates {
            guard let certificate = certificate(pair, for: .server, user: user, into: &print) else { continue }
            choices.append(TLSServerSettings.Choice(certificate))
        }
        let authority = tls.clientCA.map { trust($0, into: &print) }
        if case .some(.none) = authority { return nil }
        guard choices.count == tls.certificates.count else { return nil }
        let identity = print.digest(by: files.cryptography)
        if let before, before.identity == identity { return before }
        var settings = TLSServerSettings(choices)
        settings.protocols = listener.protocols.map(\.alpn)
        settings.minimumVersion = tls.minimumVersion.version
        settings.usesKernelTLS = tls.usesKernelTLS
        settings.ticketKeys = ticketKeys(lifetime: tls.ticketRotation, before: before)
        if let store = authority ?? nil {
            switch tls.clientCertificates {
            case .none: break
            case .optional: settings.clientCertificates = .optional(store)
            case .require: settings.clientCertificates = .required(store)
            }
        }
        do throws(TLSContextError) {
            return CompiledServerTLS(context: try TLSServerContext(settings), identity: identity)
        } catch {
            fail(error.description, at: tls.position, path: path)
            return nil
        }
    }

    /// Clients whose tickets were sealed before a reload resume after it.
    private func ticketKeys(lifetime: Nanoseconds, before: CompiledServerTLS?) -> TLSTicketKeys {
        if let keys = before?.context.settings.ticketKeys, keys.lifetime == lifetime { return keys }
        return TLSTicketKeys(lifetime: lifetime, now: now.instant)
    }

    /// Nil for an upstream in clear, and after an error was noted.
    mutating func client(_ upstream: UpstreamConfiguration, named name: String) -> CompiledClientTLS? {
        guard let tls = upstream.tls else { return nil }
        let before = previous?.upstreams.first { $0.name == name }?.security
        return client(
            tls, protocols: upstream.protocols, user: "upstream \(name)", at: upstream.position, before: before)
    }

    /// For the server a key set is fetched from.
    mutating func client(
        _ keySet: KeySetConfiguration, before: CompiledClientTLS?
    ) -> CompiledClientTLS? {
        var tls = UpstreamTLSConfiguration()
        tls.ca = keySet.ca
        return client(tls, protocols: [.http11], user: "key set", at: keySet.position, before: before)
    }

    /// For the receiver of audit events.
    mutating func client(_ webhook: WebhookConfiguration, before: CompiledClientTLS?) -> CompiledClientTLS? {
        var tls = UpstreamTLSConfiguration()
        tls.ca = webhook.ca
        return client(tls, protocols: [.http11], user: "webhook", at: webhook.position, before: before)
    }

    /// For the server that refreshes a stored credential.
    mutating func client(
        _ refresh: CredentialRefreshConfiguration, before: CompiledClientTLS?
    ) -> CompiledClientTLS? {
        var tls = UpstreamTLSConfiguration()
        tls.ca = refresh.ca
        return client(tls, protocols: [.http11], user: "stored credential", at: refresh.position, before: before)
    }

    private mutating func client(
        _ tls: UpstreamTLSConfiguration, protocols: [WireProtocol], user: String, at position: SourcePosition,
        before: CompiledClientTLS?
    ) -> CompiledClientTLS? {
        var print = Fingerprint("client \(protocols.map(\.rawValue)) \(tls.verifies) \(tls.minimumVersion)")
        var certificate: TLSCertificate?
        if let pair = tls.certificate {
            certificate = self.certificate(pair, for: .client, user: user, into: &print)
            if certificate == nil { return nil }
        }
        let authority = tls.ca.map { trust($0, into: &print) }
        if case .some(.none) = authority { return nil }
        let identity = print.digest(by: files.cryptography)
        if let before, before.identity == identity { return before }
        var settings = TLSClientSettings(
            tls.verifies ? .authorities((authority ?? nil) ?? systemAuthorities()) : .off)
        settings.certificate = certificate
        settings.protocols = protocols.map(\.alpn)
        settings.minimumVersion = tls.minimumVersion.version
        do throws(TLSContextError) {
            let context = try TLSClientContext(settings)
            var upgradeContext = context
            if protocols != [.http11] {
                settings.protocols = [.http11]
                upgradeContext = try TLSClientContext(settings)
            }
            return CompiledClientTLS(context: context, upgradeContext: upgradeContext, identity: identity)
        } catch {
            fail("\(user): \(error)", at: position, path: "")
            return nil
        }
    }

    /// Read once, since that takes long.
    private mutating func systemAuthorities() -> TrustStore {
        if let systemRoots { return systemRoots }
        let roots = TrustStore.systemRoots()
        systemRoots = roots
        return roots
    }

    // MARK: Certificates

    private mutating func certificate(
        _ pair: CertificateConfiguration, for use: CertificateUse, user: String, into print: inout Fingerprint
    ) -> TLSCertificate? {
        var place = pair.certificate
        do throws(CompileFault) {
            let chain = try files.content(pair.certificate.value)
            let key = try files.secret(pair.key.value, at: pair.key)
            let passphrase: [UInt8]?
            if let place = pair.passphrase { passphrase = try files.secret(place.value, at: place) } else { passphrase = nil }
            let response: [UInt8]?
            if let reference = pair.ocspResponse { response = try files.content(reference.value) } else { response = nil }
            for part in [chain, key, passphrase ?? [], response ?? []] { print.add(part) }
            do throws(TLSCertificateError) {
                let certificate = try TLSCertificate(
                    certificate: chain, key: key, passphrase: passphrase, ocspResponse: response)
                review(certificate, pair, use, user: user)
                return certificate
            } catch {
                if error.isAboutKey { place = pair.key }
                let names = [pair.certificate.value.text, pair.key.value.text].map(OneLine.plain)
                throw CompileFault(.certificateInvalid, "\(names[0]) and \(names[1]): \(error)")
            }
        } catch {
            fail(error, at: place.position, path: place.path)
            return nil
        }
    }

    private mutating func review(
        _ certificate: TLSCertificate, _ pair: CertificateConfiguration, _ use: CertificateUse, user: String
    ) {
        let place = pair.certificate
        let name = OneLine.plain(place.value.text)
        expiries.append(
            CertificateExpiry(
                user: user, source: place.value.text, subject: certificate.facts.subject,
                notAfter: certificate.facts.notAfter))
        review([certificate.facts] + certificate.chain, of: place, named: name)
        for flaw in certificate.flaws(for: use) {
            files.warn(.certificateFlawed, place.position, place.path, "the certificate in \(name) \(flaw)")
        }
        if let end = certificate.stapleExpiry, end <= now.wall, let response = pair.ocspResponse {
            files.warn(
                .ocspResponseExpired, response.position, response.path,
                "the OCSP response in \(OneLine.plain(response.value.text)) is out of date and is not sent")
        }
    }

    /// Warns of what has ended, or soon will.
    private func review(_ facts: [CertificateFacts], of place: Located<SecretReference>, named name: String) {
        for (index, facts) in facts.enumerated() {
            let which = index == 0 ? "the certificate in \(name)" : "certificate \(index + 1) in \(name)"
            if facts.notAfter <= now.wall {
                files.warn(
                    .certificateExpired, place.position, place.path, "\(which) expired at \(Self.text(facts.notAfter))")
            } else if facts.notAfter <= now.wall.advanced(by: Self.expiryNotice) {
                files.warn(
                    .certificateExpiresSoon, place.position, place.path,
                    "\(which) expires at \(Self.text(facts.notAfter))")
            } else if facts.notBefore > now.wall {
                files.warn(
                    .certificateNotYetValid, place.position, place.path,
                    "\(which) is not valid before \(Self.text(facts.notBefore))")
            }
        }
    }

    private static func text(_ moment: WallTime) -> String {
        var text: [UInt8] = []
        text.append(rfc3339: moment)
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func trust(_ place: Located<SecretReference>, into print: inout Fingerprint) -> TrustStore? {
        do throws(CompileFault) {
            let text = try files.content(place.value)
            print.add(text)
            let name = OneLine.plain(place.value.text)
            do throws(PEMFault) {
                let store = try TrustStore(pem: text)
                review(store.anchors, of: place, named: name)
                return store
            } catch {
                throw CompileFault(.certificateInvalid, "\(name): \(error)")
            }
        } catch {
            fail(error, at: place.position, path: place.path)
            return nil
        }
    }

    // MARK: Errors

    private mutating func fail(_ fault: CompileFault, at position: SourcePosition, path: String) {
        errors.append(
            Diagnostic(
                .error, fault.code, file: files.fileName, position: position, path: path, message: fault.message))
    }

    private mutating func fail(_ message: String, at position: SourcePosition, path: String) {
        fail(CompileFault(.certificateInvalid, message), at: position, path: path)
    }
}

/// Takes in what a context is made from, and tells whether two are made from the same.
private struct Fingerprint {
    private var bytes: [UInt8] = []

    init(_ text: String) { add(text) }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    /// Each part after its length, so that no two lists of parts look the same.
    mutating func add(_ part: [UInt8]) {
        bytes.append(decimal: part.count)
        bytes.append(0x3A)
        bytes += part
    }

    func digest(by cryptography: any Cryptography) -> Digest256 { cryptography.sha256(bytes.span) }
}

extension SecretReference {
    /// As operators know it: a path, or `env:NAME`.
    fileprivate var text: String {
        switch self {
        case .environment(let name): "env:\(name)"
        case .file(let path): path
        }
    }
}

extension WireProtocol {
    fileprivate var alpn: TLSApplicationProtocol {
        switch self {
        case .http2: .h2
        case .http11: .http11
        }
    }
}

extension MinimumTLSVersion {
    fileprivate var version: TLSVersion {
        switch self {
        case .tls12: .tls12
        case .tls13: .tls13
        }
    }
}
