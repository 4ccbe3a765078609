import COpenSSL
import Core

/// Which certificates a server shows for which name (RFC 6066 §3): one context for each set of certificates.
final class ServerNameTable: Sendable {
    /// The first is for names that are not in the table.
    let contexts: [OpenSSLContext]
    private let exact: [String: Int]
    /// Without the star: `.example`.
    private let wildcards: [String: Int]

    /// A name stands for one certificate of each kind of key.
    init(
        _ choices: [TLSServerSettings.Choice], _ makeContext: () throws(TLSContextError) -> OpenSSLContext
    ) throws(TLSContextError) {
        guard let first = choices.first else { throw .noCertificate }
        let sets = Self.sets(of: choices)
        var contexts: [OpenSSLContext] = []
        var known: [[Int]: Int] = [:]
        func place(of set: [Int]) throws(TLSContextError) -> Int {
            if let place = known[set] { return place }
            let context = try makeContext()
            for index in set {
                do throws(TLSCertificateError) { try context.use(choices[index].certificate) } catch {
                    throw .certificate(index: index, error)
                }
            }
            known[set] = contexts.count
            contexts.append(context)
            return contexts.count &- 1
        }
        // The default shows what its first name shows, so that a second kind of key serves there too.
        let standard = first.patterns.compactMap { sets[$0] }.first { $0.contains(0) } ?? [0]
        _ = try place(of: standard)
        var exact: [String: Int] = [:]
        var wildcards: [String: Int] = [:]
        for (name, set) in sets.sorted(by: { $0.key < $1.key }) {
            let place = try place(of: set)
            if name.hasPrefix("*.") { wildcards[String(name.dropFirst())] = place } else { exact[name] = place }
        }
        self.contexts = contexts
        self.exact = exact
        self.wildcards = wildcards
    }

    /// For each name the indices of its certificates, one of each kind of key, in ascending order.
    private static func sets(of choices: [TLSServerSettings.Choice]) -> [String: [Int]] {
        var sets: [String: [Int]] = [:]
        for (index, choice) in choices.enumerated() {
            let kind = choice.certificate.facts.keyKind.family
            for name in choice.patterns {
                let isTaken = sets[name]?.contains { choices[$0].certificate.facts.keyKind.family == kind } ?? false
                if !isTaken { sets[name, default: []].append(index) }
            }
        }
        return sets
    }

    /// An exact name goes before a wildcard; the star stands for exactly one label.
    func context(for name: String) -> OpenSSLContext? {
        let name = name.lowercased()
        if let place = exact[name] { return contexts[place] }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex, let place = wildcards[String(name[dot...])]
        else { return nil }
        return contexts[place]
    }

    /// The object has to outlive the connections of `context`.
    func install(in context: OpenSSLContext) {
        let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe copenssl_on_server_name(context.pointer, { connection, _, argument in
            // A name nobody knows is accepted as one that is, so that the connection keeps it.
            guard let argument = unsafe argument, let connection = unsafe connection,
                let text = unsafe SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name)
            else { return SSL_TLSEXT_ERR_NOACK }
            let table = unsafe Unmanaged<ServerNameTable>.fromOpaque(argument).takeUnretainedValue()
            if let context = unsafe table.context(for: String(cString: text)) {
                unsafe SSL_set_SSL_CTX(connection, context.pointer)
            }
            return SSL_TLSEXT_ERR_OK
        }, argument)
    }
}

extension TLSServerSettings.Choice {
    /// In lower case.
    fileprivate var patterns: [String] { (names ?? certificate.facts.dnsNames).map { $0.lowercased() } }
}

extension CertificateKeyKind {
    /// What OpenSSL keeps one certificate for.
    fileprivate enum Family { case rsa, rsaPSS, ecdsa, edwards, other }

    fileprivate var family: Family {
        switch self {
        case .rsa: .rsa
        case .rsaPSS: .rsaPSS
        case .ecdsa: .ecdsa
        case .ed25519, .ed448: .edwards
        case .other: .other
        }
    }
}
