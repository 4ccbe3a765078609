import COpenSSL
import Crypto

/// An authority that issues certificates for tests.
@safe final class TestAuthority: @unchecked Sendable {
    struct Request {
        var subject = ["CN": "server"]
        /// As OpenSSL's configuration writes them: "DNS:localhost,IP:127.0.0.1".
        var names: String? = "DNS:localhost,IP:127.0.0.1,IP:::1"
        var key = TestKey.ec
        var usage = "serverAuth"
        /// Seconds from now.
        var notBefore = -3600
        var notAfter = 86_400
        var serial = 1
        var isAuthority = false
        var digest = "SHA256"
    }

    let key: TestKey
    let certificate: OpaquePointer
    var pem: [UInt8] { unsafe Self.pem(certificate) }

    static let root = TestAuthority("Test Root")
    static let other = TestAuthority("Other Root")

    init(_ name: String, key: TestKey = TestKey(.ec("P-256"))) {
        var request = Request(subject: ["CN": name], names: nil, key: key, isAuthority: true)
        request.serial = 1000
        self.key = key
        unsafe certificate = Self.sign(request, issuer: nil, by: key)
    }

    private init(_ request: Request, issuer: TestAuthority) {
        key = request.key
        unsafe certificate = Self.sign(request, issuer: issuer.certificate, by: issuer.key)
    }

    deinit {
        unsafe X509_free(certificate)
    }

    /// An authority under this one.
    func intermediate(_ name: String) -> TestAuthority {
        TestAuthority(
            Request(subject: ["CN": name], names: nil, key: TestKey(.ec("P-256")), isAuthority: true), issuer: self)
    }

    /// A certificate as PEM.
    func issue(_ request: Request = Request()) -> [UInt8] {
        let made = unsafe Self.sign(request, issuer: certificate, by: key)
        defer { unsafe X509_free(made) }
        return unsafe Self.pem(made)
    }

    /// A certificate with its key, followed by `chain`.
    func identity(_ request: Request = Request(), chain: [UInt8] = []) throws -> TLSCertificate {
        try TLSCertificate(certificate: issue(request) + chain, key: request.key.pem())
    }

    static func selfSigned(_ request: Request = Request()) -> [UInt8] {
        let made = unsafe sign(request, issuer: nil, by: request.key)
        defer { unsafe X509_free(made) }
        return unsafe pem(made)
    }

    private static func pem(_ certificate: OpaquePointer) -> [UInt8] {
        unsafe memoryText { unsafe PEM_write_bio_X509($0, certificate) }
    }

    private static func sign(_ request: Request, issuer: OpaquePointer?, by key: TestKey) -> OpaquePointer {
        let certificate = unsafe X509_new()!
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), request.serial)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), request.notBefore)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), request.notAfter)
        unsafe X509_set_pubkey(certificate, request.key.pointer)
        let subject = unsafe X509_get_subject_name(certificate)
        for (field, value) in request.subject.sorted(by: { $0.key > $1.key }) {
            unsafe X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, value, -1, -1, 0)
        }
        unsafe X509_set_issuer_name(certificate, issuer.map { unsafe X509_get_subject_name($0) } ?? subject)
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer ?? certificate, certificate, nil, nil, 0)
        func add(_ extension: Int32, _ value: String) {
            let made = unsafe X509V3_EXT_conf_nid(nil, &context, `extension`, value)
            unsafe X509_add_ext(certificate, made, -1)
            unsafe X509_EXTENSION_free(made)
        }
        add(NID_basic_constraints, request.isAuthority ? "critical,CA:TRUE" : "critical,CA:FALSE")
        if request.isAuthority {
            add(NID_key_usage, "critical,keyCertSign,cRLSign")
        } else {
            add(NID_ext_key_usage, request.usage)
        }
        if let names = request.names { add(NID_subject_alt_name, names) }
        // Ed25519 hashes in its own way.
        let digest = unsafe EVP_PKEY_get_base_id(key.pointer) == EVP_PKEY_ED25519
            ? nil : EVP_get_digestbyname(request.digest)
        unsafe X509_sign(certificate, key.pointer, digest)
        return unsafe certificate
    }
}
