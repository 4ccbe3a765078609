package import Core

extension KeySet {
    /// Reads a JWKS document (RFC 7517 §5).
    ///
    /// Refused whole: what is no key set, is too large, or holds no usable key at all. Single keys that are of no use here (another
    /// kind, for encryption, too weak) are skipped, as RFC 7517 §5 asks, and so are private keys, together with the public keys of
    /// the same pairs. Keys after the first `FixedBounds.keySetKeys` are not read. A byte order mark is passed over.
    /// - Parameters:
    ///   - isLocal: the document is a file or part of the configuration. Shared secrets (`oct`) are taken from those only: a
    ///     secret that anybody can fetch is none.
    ///   - allowsShortSecrets: takes secrets shorter than the hash they are used with (RFC 7518 §3.2), of 16 bytes or more.
    package static func parse(
        _ document: Span<UInt8>, isLocal: Bool, allowsShortSecrets: Bool = false, cryptography: any Cryptography
    ) throws(KeySetError) -> KeySet {
        guard document.count <= FixedBounds.keySetBytes else { throw .tooLarge(byteLimit: FixedBounds.keySetBytes) }
        let root: JSONNode
        do throws(JSONError) {
            root = try JSONNode.parse(document.extracting(document.byteOrderMarkCount..<document.count), dialect: .foreign)
        } catch {
            throw .notJSON(error)
        }
        guard case .object = root.value, case .array(let nodes) = root["keys"]?.value else { throw .notAKeySet }
        let read = nodes.prefix(FixedBounds.keySetKeys)
        var leaked: Set<[UInt8]> = []
        for node in read {
            guard case .object = node.value else { throw .notAKeySet }
            let jwk = JWK(node)
            if jwk.isPrivate, let number = jwk.publicNumber { leaked.insert(number) }
        }
        var keys: [Key] = []
        var skipped: [SkippedKey] = []
        for (index, node) in read.enumerated() {
            let jwk = JWK(node)
            let key: Key
            do throws(SkippedKey.Reason) {
                if jwk.isPrivate || jwk.publicNumber.map(leaked.contains) ?? false { throw .privateKey }
                key = try jwk.key(isLocal: isLocal, cryptography: cryptography)
            } catch {
                skipped.append(SkippedKey(index: index, kid: jwk.kid, reason: error))
                continue
            }
            keys.append(try key.checkingSecret(allowsShort: allowsShortSecrets, at: index, node.position))
        }
        if nodes.count > read.count { skipped.append(SkippedKey(index: read.count, kid: nil, reason: .beyondLimit)) }
        guard !keys.isEmpty else { throw .noUsableKey(skipped) }
        try checkKids(of: keys)
        let reading = isLocal ? allowsShortSecrets ? "local, short" : "local" : "remote"
        let fingerprint = fingerprint(document, readAs: reading, cryptography)
        return KeySet(keys: keys, skipped: skipped, fingerprint: fingerprint)
    }

    /// Reads the PEM public keys and certificates of a text, all of them.
    /// - Parameters:
    ///   - kid: the only `kid` the keys answer to; without one they verify tokens of any.
    ///   - algorithm: the only algorithm they are for, and keys that it does not fit are skipped; without one, all that their kind
    ///     can do.
    package static func parse(
        pem text: Span<UInt8>, kid: String?, algorithm: SignatureAlgorithm?, cryptography: any Cryptography
    ) throws(KeySetError) -> KeySet {
        let verifications: [any VerificationKey]
        do throws(KeyMaterialError) {
            verifications = try cryptography.verificationKeys(fromPEM: text)
        } catch {
            throw .badPEM(error)
        }
        var keys: [Key] = []
        var skipped: [SkippedKey] = []
        for (index, verification) in verifications.enumerated() {
            if let algorithm, !verification.algorithms.contains(algorithm) {
                skipped.append(SkippedKey(index: index, kid: kid, reason: .algorithmUnfit))
                continue
            }
            let algorithms = algorithm.map { [$0] } ?? verification.algorithms
            keys.append(Key(kid: kid, algorithms: algorithms, verification: verification))
        }
        if keys.isEmpty, let algorithm { throw .algorithmUnfit(algorithm) }
        try checkKids(of: keys, isWithoutKid: kid == nil)
        let reading = "\(algorithm?.rawValue ?? "any") \(kid.map { "kid \($0)" } ?? "any kid")"
        let fingerprint = fingerprint(text, readAs: reading, cryptography)
        return KeySet(keys: keys, skipped: skipped, fingerprint: fingerprint, servesAnyKid: kid == nil)
    }

    /// Tells apart what the same bytes were read as, so that a reload that changes only that changes the keys in force.
    private static func fingerprint(
        _ document: Span<UInt8>, readAs reading: String, _ cryptography: any Cryptography
    ) -> Digest256 {
        var bytes = document.copied()
        bytes.append(0)
        bytes.append(contentsOf: reading.utf8)
        return cryptography.sha256(bytes.span)
    }

    /// - Parameter isWithoutKid: no key has a `kid`, and every token is tried with all of them.
    private static func checkKids(of keys: [Key], isWithoutKid: Bool = false) throws(KeySetError) {
        for key in keys where isWithoutKid || key.kid != nil {
            for algorithm in key.algorithms {
                let rivals = keys.count { other in
                    guard other.serves(algorithm) else { return false }
                    guard let kid = key.kid else { return other.kid == nil }
                    return other.kid?.isExactly(kid) ?? false
                }
                if rivals > keysTried { throw key.kid.map { .tooManyKeysOfOneKid($0) } ?? .tooManyKeysWithoutKid }
            }
        }
    }
}

extension KeySet.Key {
    /// The key for those of its algorithms that its secret is long enough for. A secret that is too short for all of them is an
    /// error in the document, not a key to be passed over.
    fileprivate func checkingSecret(
        allowsShort: Bool, at index: Int, _ position: SourcePosition
    ) throws(KeySetError) -> KeySet.Key {
        func least(_ algorithm: SignatureAlgorithm) -> Int {
            let bits = algorithm.secretBits ?? 0
            return allowsShort ? min(bits, KeySet.leastSecretBits) : bits
        }
        let served = algorithms.filter { least($0) <= verification.bits }
        if let key = KeySet.Key(self, serving: served) { return key }
        let needed = algorithms.map(least).min() ?? 0
        throw .secretTooShort(index: index, bits: verification.bits, needed: needed, position)
    }

    /// Nil where nothing is left to serve.
    private init?(_ key: KeySet.Key, serving algorithms: [SignatureAlgorithm]) {
        if algorithms.isEmpty { return nil }
        self.init(kid: key.kid, algorithms: algorithms, verification: key.verification, realm: key.realm)
    }
}

extension KeySet.SkippedKey.Reason: Error {}
