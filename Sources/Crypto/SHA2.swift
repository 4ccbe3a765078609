import COpenSSL
import Core

/// SHA-2 digests and their HMACs (RFC 2104), computed in one call without allocation.
enum SHA2 {
    /// One of the hash functions a signature may begin with.
    enum Size {
        case sha256, sha384, sha512

        var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        /// OpenSSL's name of it.
        var name: StaticString {
            switch self {
            case .sha256: "SHA256"
            case .sha384: "SHA384"
            case .sha512: "SHA512"
            }
        }
    }

    /// The first `size.byteCount` bytes are the digest, the rest zero.
    typealias Output = InlineArray<64, UInt8>

    static func digest(_ bytes: Span<UInt8>, _ size: Size) -> Output {
        var output = Output(repeating: 0)
        var span = output.mutableSpan
        // OpenSSL reads `count` bytes from the first pointer and writes at most 64 to the second, which has 64.
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe span.withUnsafeMutableBufferPointer { buffer in
                guard let target = buffer.baseAddress else { return }
                switch size {
                case .sha256: unsafe copenssl_sha256(input.baseAddress, input.count, target)
                case .sha384: unsafe copenssl_sha384(input.baseAddress, input.count, target)
                case .sha512: unsafe copenssl_sha512(input.baseAddress, input.count, target)
                }
            }
        }
        return output
    }

    static func authenticationCode(key: Span<UInt8>, _ bytes: Span<UInt8>, _ size: Size) -> Output {
        var output = Output(repeating: 0)
        var span = output.mutableSpan
        // As above; the key is read to its count too.
        unsafe key.withUnsafeBufferPointer { key in
            unsafe bytes.withUnsafeBufferPointer { input in
                unsafe span.withUnsafeMutableBufferPointer { buffer in
                    guard let target = buffer.baseAddress else { return }
                    let (secret, length) = (key.baseAddress, key.count)
                    switch size {
                    case .sha256: unsafe copenssl_hmac_sha256(secret, length, input.baseAddress, input.count, target)
                    case .sha384: unsafe copenssl_hmac_sha384(secret, length, input.baseAddress, input.count, target)
                    case .sha512: unsafe copenssl_hmac_sha512(secret, length, input.baseAddress, input.count, target)
                    }
                }
            }
        }
        return output
    }

    static func sha256(_ bytes: Span<UInt8>) -> Digest256 { Digest256(digest(bytes, .sha256)) }

    static func hmacSHA256(key: Span<UInt8>, _ bytes: Span<UInt8>) -> Digest256 {
        Digest256(authenticationCode(key: key, bytes, .sha256))
    }
}

extension Digest256 {
    /// The first 32 bytes as four big-endian words.
    fileprivate init(_ output: SHA2.Output) {
        func word(_ start: Int) -> UInt64 {
            var word: UInt64 = 0
            for index in start..<start &+ 8 { word = word << 8 | UInt64(output[index]) }
            return word
        }
        self.init(word(0), word(8), word(16), word(24))
    }
}

extension SignatureAlgorithm {
    /// The hash its signatures are made over; Ed25519 (RFC 8032) hashes in its own way, with SHA-512.
    var hash: SHA2.Size {
        switch self {
        case .hs256, .rs256, .ps256, .es256: .sha256
        case .hs384, .rs384, .ps384, .es384: .sha384
        case .hs512, .rs512, .ps512, .es512, .eddsa: .sha512
        }
    }
}
