import COpenSSL
import Core

/// What the connections of a listener are made from: certificates, protocols, client authorities. Immutable: a reload
/// makes a new one for new connections. Threads may share it.
package final class TLSServerContext: Sendable {
    package let settings: TLSServerSettings
    let names: ServerNameTable
    private let alternatives: ProtocolPreference

    package init(_ settings: TLSServerSettings) throws(TLSContextError) {
        self.settings = settings
        if let trust = settings.clientCertificates.trust, trust.certificates.isEmpty { throw .noClientAuthorities }
        alternatives = ProtocolPreference(settings.protocols)
        names = try ServerNameTable(settings.choices) { () throws(TLSContextError) in
            try OpenSSLContext(
                isServer: true, minimumVersion: settings.minimumVersion, usesKernelTLS: settings.usesKernelTLS)
        }
        for context in names.contexts { try configure(context) }
    }

    /// The certificates in the order of the settings.
    package var certificates: [TLSCertificate] { settings.choices.map(\.certificate) }

    /// The context that connections begin with.
    var root: OpenSSLContext { names.contexts[0] }

    /// What a callback gets as its argument lives as long as this object, which every connection holds.
    private func configure(_ context: OpenSSLContext) throws(TLSContextError) {
        names.install(in: context)
        alternatives.install(in: context)
        if settings.choices.contains(where: { $0.certificate.staple != nil }) {
            installStapling(in: context)
        }
        if let keys = settings.ticketKeys { keys.install(in: context) } else { context.refuseResumption() }
        try configureClientCertificates(context)
    }

    private func configureClientCertificates(_ context: OpenSSLContext) throws(TLSContextError) {
        // A session begun under other terms for clients must not be resumed under these.
        var terms: [UInt8] = Array("portcullis client certificates ".utf8)
        switch settings.clientCertificates {
        case .none: terms.append(0)
        case .optional: terms.append(1)
        case .required: terms.append(2)
        }
        if let trust = settings.clientCertificates.trust {
            terms += Array(trust.identity.hex.utf8)
            try context.trust(trust)
            context.askForCertificates(issuedBy: trust.certificates, isRequired: settings.clientCertificates.isRequired)
            context.refuseSessionsOfExpiredCertificates()
        }
        context.setSessionTerms(SHA2.sha256(terms.span))
    }

    private func installStapling(in context: OpenSSLContext) {
        let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe copenssl_on_status_request(context.pointer, { connection, argument in
            guard let argument = unsafe argument, let connection = unsafe connection else { return SSL_TLSEXT_ERR_NOACK }
            let server = unsafe Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
            return unsafe server.staple(connection) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
        }, argument)
    }

    /// Adds the response that belongs to the certificate that is going to be sent, unless it is out of date.
    private func staple(_ connection: OpaquePointer) -> Bool {
        let chosen = unsafe SSL_get_certificate(connection)
        let staples = settings.choices.lazy.map(\.certificate)
        guard let staple = staples.first(where: { unsafe $0.leaf.pointer == chosen })?.staple else { return false }
        guard staple.nextUpdate > WallTime(seconds: Int64(time(nil))) else { return false }
        return unsafe copenssl_staple(connection, staple.bytes, staple.bytes.count) != 0
    }
}

extension TLSClientCertificates {
    fileprivate var isRequired: Bool {
        switch self {
        case .none, .optional: false
        case .required: true
        }
    }
}

private import Glibc
