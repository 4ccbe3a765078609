import COpenSSL
import Core

/// TLS over a connected, non-blocking socket: one SSL. It reads and writes the socket itself and does not own it: the
/// caller closes the descriptor after the stream's last call. One thread at a time.
///
/// The socket is watched edge-triggered, so the caller has to know when it may stop reading: after `.wantsRead`, and
/// after `.bytes` without `mayHaveMore`. Then neither OpenSSL nor the socket has anything left, as far as reading has
/// shown. Only an end that the watch has already told of (EPOLLRDHUP) may still be there to be read.
/// SIGPIPE has to be ignored by the process.
@safe package final class TLSStream {
    private enum Role {
        case server(TLSServerContext)
        case client(TLSClientContext, TLSServerName)
    }

    private let role: Role
    /// Owned; freed with the object.
    private let ssl: OpaquePointer
    package private(set) var isEstablished = false
    /// What broke the connection; later calls answer the same.
    package private(set) var fault: TLSFault?
    /// Writing failed because the socket is broken. What the peer sent before may still be there to be read.
    private var writeFault: TLSFault?
    /// OpenSSL has made a record that the socket did not take.
    private var hasUnsentRecord = false
    /// What ALPN agreed on; nil before the end of the handshake, and when the other side does not speak ALPN.
    package private(set) var applicationProtocol: TLSApplicationProtocol?
    /// What the peer's certificate says; nil when it showed none. Read out of the certificate when first asked for.
    package private(set) lazy var peerCertificate = readPeerCertificate()

    /// The server's side of a connection that was accepted.
    package init(accepting context: TLSServerContext, descriptor: Int32) throws(TLSFault) {
        role = .server(context)
        unsafe ssl = try Self.connection(of: context.root, descriptor)
        unsafe SSL_set_accept_state(ssl)
    }

    /// The client's side of a connection to `name`.
    package init(connecting context: TLSClientContext, to name: TLSServerName, descriptor: Int32) throws(TLSFault) {
        role = .client(context, name)
        unsafe ssl = try Self.connection(of: context.context, descriptor)
        unsafe SSL_set_connect_state(ssl)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        guard unsafe Self.expect(name, ssl, of: context) else { throw .other(library: 0, reason: 0) }
        if let session = context.sessions.take(for: name) {
            // The connection takes a reference of its own.
            unsafe SSL_set_session(ssl, session.pointer)
        }
    }

    deinit {
        // A connection that ends without close_notify would spoil its session, and truncation is no concern of the next.
        if fault == nil { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(ssl)
    }

    private static func connection(of context: OpenSSLContext, _ descriptor: Int32) throws(TLSFault) -> OpaquePointer {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context.pointer) else { throw .other(library: 0, reason: 0) }
        guard unsafe copenssl_attach(ssl, descriptor) != 0 else {
            unsafe SSL_free(ssl)
            throw .other(library: 0, reason: 0)
        }
        return unsafe ssl
    }

    private static func expect(_ name: TLSServerName, _ ssl: OpaquePointer, of context: TLSClientContext) -> Bool {
        let parameters = unsafe SSL_get0_param(ssl)
        switch name {
        case .host(let host):
            // A common name is no host name (RFC 9525 §2), and a star stands for a whole label (§6.3).
            let flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
            unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(flags))
            // A name with a zero in it would be cut there.
            guard !host.isEmpty, !host.utf8.contains(0) else { return false }
            return unsafe copenssl_offer_name(ssl, host) != 0
                && X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1
        case .address(let address):
            let bytes = address.networkOrder
            return unsafe X509_VERIFY_PARAM_set1_ip(parameters, bytes, bytes.count) == 1
        }
    }

    // MARK: Traffic

    /// Goes on with the handshake. To be called until it is complete or has failed, before anything else.
    package func handshake() -> TLSHandshakeOutcome {
        if let fault { return .failed(fault) }
        if isEstablished { return .complete }
        var failure = copenssl_failure()
        if unsafe copenssl_handshake(ssl, &failure) == 1 { return establish() }
        switch interpret(failure) {
        case .wantsRead: return .wantsRead
        case .wantsWrite: return .wantsWrite
        case .ended: return .failed(breakDown(.closedInHandshake))
        case .failed(let fault): return .failed(fault)
        }
    }

    /// Decrypts into `buffer`, which must not be empty, as much as is there and fits.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> TLSReadOutcome {
        if let fault { return .failed(fault) }
        guard isEstablished, let start = buffer.baseAddress else { return .wantsRead }
        var count = 0
        var failure = copenssl_failure()
        while true {
            let room = Int32(clamping: buffer.count &- count)
            let got = unsafe copenssl_read(ssl, start + count, room, &failure)
            if got > 0 {
                count &+= Int(got)
                if unsafe copenssl_is_drained(ssl) != 0 { return .bytes(count, mayHaveMore: false) }
                if count == buffer.count { return .bytes(count, mayHaveMore: true) }
                continue
            }
            let interruption = interpret(failure)
            guard count == 0 else {
                // What stopped the reading is said by the next call, unless it is only that nothing is left.
                return .bytes(count, mayHaveMore: interruption != .wantsRead)
            }
            switch interruption {
            case .wantsRead: return .wantsRead
            case .wantsWrite: return .wantsWrite
            case .ended: return unsafe copenssl_saw_end_of_socket(ssl) != 0 ? .truncated : .endOfStream
            case .failed(let fault): return .failed(fault)
            }
        }
    }

    /// Encrypts and writes from `bytes`, which must not be empty, as much as the socket takes.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TLSWriteOutcome {
        if let fault = fault ?? writeFault { return .failed(fault) }
        guard isEstablished, let start = bytes.baseAddress else { return .wantsWrite }
        var count = 0
        var failure = copenssl_failure()
        while count < bytes.count {
            // OpenSSL makes one record of at most 16 KiB in a call.
            let taken = unsafe copenssl_write(ssl, start + count, Int32(clamping: bytes.count &- count), &failure)
            if taken > 0 {
                count &+= Int(taken)
                continue
            }
            let interruption = interpret(failure)
            hasUnsentRecord = interruption == .wantsWrite
            if case .failed(let broken) = interruption, case .transport = broken {
                writeFault = broken
                fault = nil
            }
            if count > 0 { return .bytes(count) }
            switch interruption {
            case .wantsRead: return .wantsRead
            case .wantsWrite: return .wantsWrite
            case .ended: return .failed(breakDown(.transport(0)))
            case .failed(let fault): return .failed(fault)
            }
        }
        hasUnsentRecord = false
        return .bytes(count)
    }

    /// Says close_notify, if that can be done at once. Everything written has to have been taken before. Reading goes on.
    package func shutdown() -> TLSShutdownOutcome {
        guard isEstablished, fault == nil, writeFault == nil else { return .impossible }
        if hasUnsentRecord { return .wantsWrite }
        var failure = copenssl_failure()
        if unsafe copenssl_shutdown(ssl, &failure) == 1 { return .sent }
        switch interpret(failure) {
        case .wantsWrite: return .wantsWrite
        case .wantsRead, .ended, .failed: return .impossible
        }
    }

    /// A client's stream got a session to resume.
    func keep(_ session: TLSSession) {
        guard case .client(let context, let name) = role else { return }
        context.sessions.keep(session, for: name)
    }

    // MARK: What stopped a call

    private enum Interruption: Equatable {
        case wantsRead, wantsWrite
        /// The peer sends no more, with close_notify or without.
        case ended
        case failed(TLSFault)
    }

    private func interpret(_ failure: copenssl_failure) -> Interruption {
        switch failure.kind {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .ended
        default:
            let first = unsafe copenssl_first_byte(ssl)
            let circumstances = TLSFault.Circumstances(
                isServer: isServer, isEstablished: isEstablished,
                firstByte: first < 0 ? nil : UInt8(truncatingIfNeeded: first),
                verification: unsafe SSL_get_verify_result(ssl))
            return .failed(breakDown(TLSFault(failure, circumstances)))
        }
    }

    /// The peer has sent something.
    package var hasReceived: Bool { unsafe copenssl_first_byte(ssl) >= 0 }

    private func breakDown(_ fault: TLSFault) -> TLSFault {
        self.fault = fault
        ERR_clear_error()
        return fault
    }

    private func establish() -> TLSHandshakeOutcome {
        isEstablished = true
        unsafe copenssl_note_kernel_tls(ssl)
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard let name = unsafe name, count > 0 else { return .complete }
        // The name belongs to the connection.
        applicationProtocol = TLSApplicationProtocol(unsafe Span(_unsafeStart: name, count: Int(count)))
        if case .client(let context, _) = role {
            // Older releases of OpenSSL take whatever a server chooses; we only what was offered.
            guard let applicationProtocol, context.settings.protocols.contains(applicationProtocol) else {
                return .failed(breakDown(.noApplicationProtocol))
            }
        }
        return .complete
    }

    // MARK: Facts of an established connection

    private var isServer: Bool {
        switch role {
        case .server: true
        case .client: false
        }
    }

    /// The name the client asked for (SNI), in lower case; on a client's stream the name it sent.
    package var serverName: String? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return unsafe String(cString: name).lowercased()
    }

    package var version: TLSVersion { unsafe SSL_version(ssl) == TLS1_3_VERSION ? .tls13 : .tls12 }

    /// The name that IANA gives the cipher suite.
    package var cipherName: String {
        guard let cipher = unsafe SSL_get_current_cipher(ssl), let name = unsafe SSL_CIPHER_standard_name(cipher) else {
            return ""
        }
        return unsafe String(cString: name)
    }

    /// The handshake took up an earlier session.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The kernel encrypts what is written; it decrypts what is read.
    package var kernelTLS: (sends: Bool, receives: Bool) {
        unsafe (copenssl_kernel_sends(ssl) != 0, copenssl_kernel_receives(ssl) != 0)
    }

    private func readPeerCertificate() -> CertificateFacts? {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        return unsafe CertificateFacts(X509Certificate(owning: certificate))
    }
}

extension IPAddress {
    /// Four bytes or sixteen.
    fileprivate var networkOrder: [UInt8] {
        func bytes(_ word: UInt64) -> [UInt8] {
            stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
        return family == .v4 ? Array(bytes(low).suffix(4)) : bytes(high) + bytes(low)
    }
}
