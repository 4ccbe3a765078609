import COpenSSL
import Core
import Crypto
import Testing

/// OCSP responses that are sent with a certificate (RFC 6066 §8).
struct OCSPStapleTests {
    /// DER of a response about the certificate with this serial number, signed by the authority itself.
    private static func response(
        serial: Int = 1, status: Int32 = V_OCSP_CERTSTATUS_GOOD, nextUpdate: Int? = 3600, isError: Bool = false
    ) -> [UInt8] {
        let authority = TestAuthority.root
        let basic = unsafe OCSP_BASICRESP_new()
        defer { unsafe OCSP_BASICRESP_free(basic) }
        let number = unsafe ASN1_INTEGER_new()
        defer { unsafe ASN1_INTEGER_free(number) }
        unsafe ASN1_INTEGER_set(number, serial)
        let name = unsafe X509_get_subject_name(authority.certificate)
        let id = unsafe OCSP_cert_id_new(
            EVP_sha1(), name, X509_get0_pubkey_bitstr(authority.certificate), number)
        defer { unsafe OCSP_CERTID_free(id) }
        let now = unsafe X509_gmtime_adj(nil, -60)
        let next = unsafe nextUpdate.map { unsafe X509_gmtime_adj(nil, $0) } ?? nil
        defer {
            unsafe ASN1_TIME_free(now)
            unsafe ASN1_TIME_free(next)
        }
        unsafe OCSP_basic_add1_status(basic, id, status, 0, now, now, next)
        unsafe OCSP_basic_sign(basic, authority.certificate, authority.key.pointer, EVP_sha256(), nil, 0)
        let response = unsafe OCSP_response_create(
            isError ? OCSP_RESPONSE_STATUS_TRYLATER : OCSP_RESPONSE_STATUS_SUCCESSFUL, isError ? nil : basic)
        defer { unsafe OCSP_RESPONSE_free(response) }
        var bytes = [UInt8](repeating: 0, count: Int(unsafe i2d_OCSP_RESPONSE(response, nil)))
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var target = buffer.baseAddress
            _ = unsafe i2d_OCSP_RESPONSE(response, &target)
        }
        return bytes
    }

    private static func certificate(_ response: [UInt8], chain: [UInt8] = []) throws(TLSCertificateError) -> TLSCertificate {
        try TLSCertificate(
            certificate: TestAuthority.root.issue() + chain, key: TestKey.ec.pem(), ocspResponse: response)
    }

    /// What a client that asks for a response gets.
    private static func stapled(_ certificates: [TLSCertificate], asks: Bool = true) throws -> [UInt8]? {
        let link = try RawLink(TestContexts.server(certificates))
        if asks { unsafe copenssl_request_status(link.client.ssl) }
        link.handshake()
        #expect(link.serverOutcome == .complete)
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe copenssl_status(link.client.ssl, &bytes)
        guard count >= 0, let bytes = unsafe bytes else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    @Test func `a good response goes to the client that asks`() throws {
        let response = Self.response()
        #expect(try Self.stapled([Self.certificate(response)]) == response)
        #expect(try Self.stapled([Self.certificate(response, chain: TestAuthority.root.pem)]) == response)
        #expect(try Self.stapled([Self.certificate(response)], asks: false) == nil)
    }

    @Test func `a response belongs to its certificate`() throws {
        let plain = try TestAuthority.root.identity(.init(names: nil, serial: 2))
        let stapled = try TLSCertificate(
            certificate: TestAuthority.root.issue(.init(names: nil, key: .rsa)), key: TestKey.rsa.pem(),
            ocspResponse: Self.response())
        #expect(try Self.stapled([plain, stapled]) == nil)
    }

    @Test func `out of date it is kept back`() throws {
        let certificate = try Self.certificate(Self.response(nextUpdate: -1))
        #expect(certificate.stapleExpiry != nil)
        #expect(try Self.stapled([certificate]) == nil)
    }

    @Test func `without a date it stays`() throws {
        let certificate = try Self.certificate(Self.response(nextUpdate: nil))
        #expect(certificate.stapleExpiry == .distantFuture)
        #expect(try Self.stapled([certificate]) != nil)
    }

    @Test func `what is no good response is an error`() {
        for (response, fault) in [
            ([], OCSPFault.malformed), (Array("no".utf8), .malformed), (Self.response() + [0], .malformed),
            (Self.response(isError: true), .unsuccessful), (Self.response(serial: 2), .otherCertificate),
            (Self.response(status: V_OCSP_CERTSTATUS_REVOKED), .notGood),
            (Self.response(status: V_OCSP_CERTSTATUS_UNKNOWN), .notGood),
        ] {
            #expect(throws: TLSCertificateError.staple(fault)) { try Self.certificate(response) }
        }
    }

    @Test func `a response of another issuer is about another certificate`() {
        #expect(throws: TLSCertificateError.staple(.otherCertificate)) {
            try Self.certificate(Self.response(), chain: TestAuthority.other.pem)
        }
    }
}
