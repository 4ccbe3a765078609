import COpenSSL
import Core

/// Public keys in PEM (RFC 7468).
enum PEM {
    /// The material of every public key and certificate, in order: at least one, at most `FixedBounds.keySetKeys`. Blocks of other
    /// labels are passed over. A certificate counts for its key only: it is pinned by being there, its dates and its issuer are
    /// not looked at. One that issued another certificate of the text is part of a chain: its key signs certificates, and to
    /// trust it for tokens as well would trust the whole authority. A text with a private key anywhere in it is `.unsupported`.
    static func keyMaterials(_ text: Span<UInt8>) throws(KeyMaterialError) -> [KeyMaterial] {
        guard text.count <= FixedBounds.pemBytes else { throw .malformed }
        if text.contains("PRIVATE KEY-----") { throw .unsupported }
        var entries: [Entry] = []
        var start = 0
        while let begin = text.firstIndex(of: Self.begin, from: start) {
            let labelStart = begin &+ Self.begin.utf8CodeUnitCount
            guard let end = text.firstIndex(of: Self.end, from: labelStart) else { throw .malformed }
            // The line of the end is part of the block.
            let stop = text.firstIndex(of: 0x0A, from: end) ?? text.count
            if let entry = try entry(text.extracting(begin..<stop), label: text.extracting(labelStart..<stop)) {
                guard entries.count < FixedBounds.keySetKeys else { throw .malformed }
                entries.append(entry)
            }
            start = stop
        }
        var materials: [KeyMaterial] = []
        for entry in entries where !entry.isIssuer(among: entries) { materials.append(try entry.key.material()) }
        guard !materials.isEmpty else { throw .malformed }
        return materials
    }

    private static let begin: StaticString = "-----BEGIN "
    private static let end: StaticString = "-----END "

    /// One block of a text.
    private struct Entry {
        let key: PublicKey
        /// Nil for a bare key.
        let certificate: X509Certificate?

        /// It is a certificate whose key signed another one of these, which has another key.
        func isIssuer(among entries: [Entry]) -> Bool {
            guard let certificate else { return false }
            return entries.contains { other in
                guard let issued = other.certificate, issued !== certificate else { return false }
                defer { ERR_clear_error() }
                return unsafe X509_NAME_cmp(
                    X509_get_subject_name(certificate.pointer), X509_get_issuer_name(issued.pointer)) == 0
                    && EVP_PKEY_eq(key.pointer, other.key.pointer) != 1 && X509_verify(issued.pointer, key.pointer) == 1
            }
        }
    }

    /// The key of one block; nil for a block of another kind.
    private static func entry(_ block: Span<UInt8>, label: Span<UInt8>) throws(KeyMaterialError) -> Entry? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        if label.begins(with: "CERTIFICATE-----") {
            guard let certificate = try? certificates(block, limit: 1).first,
                let key = unsafe X509_get_pubkey(certificate.pointer)
            else { throw .malformed }
            return unsafe Entry(key: PublicKey(owning: key), certificate: certificate)
        }
        guard label.begins(with: "PUBLIC KEY-----") || label.begins(with: "RSA PUBLIC KEY-----") else { return nil }
        let pointer = unsafe block.withUnsafeBufferPointer { text in
            // The count fits, see above; OpenSSL keeps nothing of the text.
            unsafe copenssl_pem_public_key(text.baseAddress, Int32(truncatingIfNeeded: text.count))
        }
        guard let pointer = unsafe pointer else { throw .malformed }
        return unsafe Entry(key: PublicKey(owning: pointer), certificate: nil)
    }
}

extension PublicKey {
    /// The key taken apart, so that keys from every source pass the same checks.
    func material() throws(KeyMaterialError) -> KeyMaterial {
        switch unsafe EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_RSA:
            return .rsa(modulus: try number(OSSL_PKEY_PARAM_RSA_N), exponent: try number(OSSL_PKEY_PARAM_RSA_E))
        case EVP_PKEY_EC:
            let curve = try curve()
            return .ec(
                curve: curve, x: try number(OSSL_PKEY_PARAM_EC_PUB_X, byteCount: curve.coordinateBytes),
                y: try number(OSSL_PKEY_PARAM_EC_PUB_Y, byteCount: curve.coordinateBytes))
        case EVP_PKEY_ED25519:
            var bytes = [UInt8](repeating: 0, count: Ed25519VerificationKey.keyBytes)
            var count = bytes.count
            guard unsafe EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1, count == bytes.count else {
                throw .malformed
            }
            return .ed25519(x: bytes)
        default:
            throw .unsupported
        }
    }

    private func curve() throws(KeyMaterialError) -> EllipticCurve {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard unsafe EVP_PKEY_get_utf8_string_param(pointer, OSSL_PKEY_PARAM_GROUP_NAME, &name, name.count, &count) == 1
        else { throw .unsupported }
        let text = name.prefix(count).map { UInt8(bitPattern: $0) }
        for curve in [EllipticCurve.p256, .p384, .p521] where text.span.equals(curve.openSSLName) { return curve }
        throw .unsupported
    }

    /// A number among the key's parameters, big-endian, padded with leading zeros to `byteCount`.
    private func number(_ name: String, byteCount: Int = 0) throws(KeyMaterialError) -> [UInt8] {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(pointer, name, &number) == 1, let number = unsafe number else {
            throw .malformed
        }
        defer { unsafe BN_free(number) }
        let length = max(Int((unsafe BN_num_bits(number)) &+ 7) / 8, byteCount)
        var bytes = [UInt8](repeating: 0, count: length)
        guard unsafe BN_bn2binpad(number, &bytes, Int32(truncatingIfNeeded: length)) >= 0 else { throw .malformed }
        return bytes
    }
}

extension Span where Element == UInt8 {
    func begins(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && extracting(0..<length).equals(literal)
    }

    func contains(_ literal: StaticString) -> Bool { firstIndex(of: literal, from: 0) != nil }

    /// Where the literal begins first at or after `start`.
    func firstIndex(of literal: StaticString, from start: Int) -> Int? {
        let length = literal.utf8CodeUnitCount
        var index = start
        while index &+ length <= count {
            if extracting(index..<index &+ length).equals(literal) { return index }
            index &+= 1
        }
        return nil
    }
}
