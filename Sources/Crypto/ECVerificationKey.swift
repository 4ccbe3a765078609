import COpenSSL
import Core

/// A point on one of the NIST curves, for the one ECDSA algorithm of that curve (RFC 7518 §3.4).
final class ECVerificationKey: VerificationKey {
    let algorithms: [SignatureAlgorithm]
    let bits: Int
    private let algorithm: SignatureAlgorithm
    private let coordinateBytes: Int
    private let pool: VerificationContextPool

    /// Coordinates in full length, leading zeros included (RFC 7518 §6.2.1.2).
    init(curve: EllipticCurve, x: [UInt8], y: [UInt8]) throws(KeyMaterialError) {
        bits = curve.bits
        coordinateBytes = curve.coordinateBytes
        algorithm = curve.algorithm
        algorithms = [curve.algorithm]
        guard x.count == curve.coordinateBytes, y.count == curve.coordinateBytes else { throw .malformed }
        // The uncompressed form of SEC 1 §2.3.3.
        let point = [4] + x + y
        // The builder copies neither name nor point: both have to live until the key has been made.
        let key = try unsafe point.withUnsafeBufferPointer { (point) throws(KeyMaterialError) in
            try unsafe PublicKey(type: "EC") { builder in
                unsafe copenssl_push_point(builder, curve.openSSLName.cString, point.baseAddress, point.count) == 1
            }
        }
        guard key.passesPublicCheck else { throw .malformed }
        pool = VerificationContextPool(key, curve.algorithm)
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, using algorithm: SignatureAlgorithm) -> Bool {
        guard algorithm == self.algorithm,
            let encoded = ECDSASignature.der(fromRaw: signature, coordinateBytes: coordinateBytes)
        else { return false }
        let digest = SHA2.digest(message, algorithm.hash)
        return pool.verifies(encoded.span, digest: digest.span.extracting(0..<algorithm.hash.byteCount))
    }
}

extension EllipticCurve {
    var algorithm: SignatureAlgorithm {
        switch self {
        case .p256: .es256
        case .p384: .es384
        case .p521: .es512
        }
    }

    /// OpenSSL's name of the curve.
    var openSSLName: StaticString {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        }
    }
}
