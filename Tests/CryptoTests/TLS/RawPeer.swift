import COpenSSL
import Crypto
import Testing

/// What a `RawPeer` is made with; nil and empty leave what OpenSSL does by itself.
struct RawSettings {
    var minimumVersion: Int32?
    var maximumVersion: Int32?
    /// Of TLS 1.2.
    var ciphers: String?
    var groups: String?
    var signatures: String?
    /// A client's list for ALPN.
    var protocols: [String] = []
    /// What a server chooses, whatever was offered.
    var choosesH2 = false
    /// PEM, and its key.
    var identity: (certificate: [UInt8], key: TestKey)?
    /// Lets old versions and weak ciphers through.
    var isLax = false
}

/// OpenSSL without our settings, for what our streams would never do.
@safe final class RawPeer {
    let ssl: OpaquePointer
    private let context: OpaquePointer

    /// A client, unless `isServer`. Nothing is verified.
    init(descriptor: Int32, isServer: Bool = false, _ settings: RawSettings = RawSettings()) {
        unsafe context = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method())!
        unsafe Self.apply(settings, to: context)
        unsafe ssl = SSL_new(context)!
        unsafe SSL_set_fd(ssl, descriptor)
        unsafe isServer ? SSL_set_accept_state(ssl) : SSL_set_connect_state(ssl)
    }

    private static func apply(_ settings: RawSettings, to context: OpaquePointer) {
        func control(_ command: Int32, _ value: Int32) {
            #expect(unsafe SSL_CTX_ctrl(context, command, Int(value), nil) == 1)
        }
        func control(_ command: Int32, _ list: String) {
            unsafe list.withCString { list in
                #expect(unsafe SSL_CTX_ctrl(context, command, 0, UnsafeMutableRawPointer(mutating: list)) == 1)
            }
        }
        if settings.isLax { unsafe SSL_CTX_set_security_level(context, 0) }
        if let version = settings.minimumVersion { control(SSL_CTRL_SET_MIN_PROTO_VERSION, version) }
        if let version = settings.maximumVersion { control(SSL_CTRL_SET_MAX_PROTO_VERSION, version) }
        if let groups = settings.groups { control(SSL_CTRL_SET_GROUPS_LIST, groups) }
        if let signatures = settings.signatures { control(SSL_CTRL_SET_SIGALGS_LIST, signatures) }
        if let ciphers = settings.ciphers { #expect(unsafe SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        if !settings.protocols.isEmpty {
            let list = settings.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            #expect(unsafe SSL_CTX_set_alpn_protos(context, list, UInt32(list.count)) == 0)
        }
        if settings.choosesH2 {
            unsafe SSL_CTX_set_alpn_select_cb(context, { _, chosen, count, _, _, _ in
                let name: StaticString = "h2"
                unsafe chosen?.pointee = unsafe name.utf8Start
                unsafe count?.pointee = 2
                return SSL_TLSEXT_ERR_OK
            }, nil)
        }
        if let (text, key) = settings.identity {
            var isEnd: Int32 = 0
            let source = unsafe BIO_new_mem_buf(text, Int32(text.count))
            let certificate = unsafe copenssl_next_certificate(source, &isEnd)
            unsafe SSL_CTX_use_certificate(context, certificate)
            unsafe SSL_CTX_use_PrivateKey(context, key.pointer)
            unsafe X509_free(certificate)
            unsafe BIO_free(source)
        }
    }

    deinit {
        // As if both had said close_notify: otherwise the session would be spoilt.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    /// True when the handshake is over.
    func handshake() -> Bool {
        ERR_clear_error()
        return unsafe SSL_do_handshake(ssl) == 1
    }

    func write(_ bytes: some Collection<UInt8>) -> Int {
        let bytes = Array(bytes)
        return Int(unsafe SSL_write(ssl, bytes, Int32(bytes.count)))
    }

    /// Nil when nothing can be read.
    func read() -> [UInt8]? {
        ERR_clear_error()
        var buffer = [UInt8](repeating: 0, count: 20_000)
        let count = unsafe SSL_read(ssl, &buffer, Int32(buffer.count))
        return count > 0 ? Array(buffer[..<Int(count)]) : nil
    }

    /// The reason number of the oldest error.
    var reason: Int32 { ERR_GET_REASON(ERR_peek_error()) }

    /// The common name on the peer's certificate.
    var peerName: String? {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        defer { unsafe X509_free(certificate) }
        var name = [UInt8](repeating: 0, count: 64)
        let count = unsafe name.withUnsafeMutableBytes { name in
            unsafe X509_NAME_get_text_by_NID(
                X509_get_subject_name(certificate), NID_commonName,
                name.baseAddress?.assumingMemoryBound(to: CChar.self), 64)
        }
        return count < 0 ? nil : String(decoding: name[..<Int(count)], as: UTF8.self)
    }
}

/// A client of `RawPeer`'s against a server's stream.
final class RawLink {
    let sockets = SocketPair()
    let client: RawPeer
    let server: TLSStream
    private(set) var serverOutcome = TLSHandshakeOutcome.wantsRead
    private(set) var isClientDone = false

    init(_ context: TLSServerContext, _ settings: RawSettings = RawSettings()) throws {
        client = RawPeer(descriptor: sockets.first, settings)
        server = try TLSStream(accepting: context, descriptor: sockets.second)
    }

    func handshake() {
        for _ in 0..<20 {
            isClientDone = client.handshake()
            serverOutcome = server.handshake()
            if case .failed = serverOutcome { break }
            if isClientDone, serverOutcome == .complete { return }
        }
        // What the client was told last.
        if !isClientDone { isClientDone = client.handshake() }
    }
}
