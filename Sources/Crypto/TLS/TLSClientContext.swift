import COpenSSL
import Core

/// What connections to servers are made from: authorities, own certificate, protocols, sessions to resume. Immutable but
/// for the sessions. Threads may share it.
package final class TLSClientContext: Sendable {
    package let settings: TLSClientSettings
    let context: OpenSSLContext
    let sessions = TLSSessionStore(
        nameLimit: FixedBounds.resumableNames, sessionLimit: FixedBounds.resumableSessions)

    package init(_ settings: TLSClientSettings) throws(TLSContextError) {
        self.settings = settings
        context = try OpenSSLContext(
            isServer: false, minimumVersion: settings.minimumVersion, usesKernelTLS: settings.usesKernelTLS)
        switch settings.verification {
        case .authorities(let store):
            try context.trust(store)
            unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        case .off:
            unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_NONE, nil)
        }
        if let certificate = settings.certificate {
            do throws(TLSCertificateError) { try context.use(certificate) } catch {
                throw .certificate(index: 0, error)
            }
        }
        if !settings.protocols.isEmpty {
            let names = settings.protocols.wireForm
            // Zero is success, for once.
            guard unsafe SSL_CTX_set_alpn_protos(context.pointer, names, UInt32(truncatingIfNeeded: names.count)) == 0
            else { throw .unavailable }
        }
        if settings.resumesSessions { context.reportNewSessions() } else { context.refuseResumption() }
    }
}

extension OpenSSLContext {
    /// New sessions go to the stream they came on, which every connection has as its application's own pointer.
    fileprivate func reportNewSessions() {
        unsafe copenssl_on_new_session(pointer) { connection, session in
            guard let connection = unsafe connection, let session = unsafe session,
                let stream = unsafe SSL_get_ex_data(connection, 0)
            else { return 0 }
            // The stream is in one of its methods: nothing else runs OpenSSL on its connection.
            unsafe Unmanaged<TLSStream>.fromOpaque(stream).takeUnretainedValue().keep(TLSSession(owning: session))
            // One: the reference is ours now.
            return 1
        }
    }
}
