package import Core

extension KeySet {
    /// Reads a JWKS document (RFC 7517 §5).
    ///
    /// Refused whole: what is no key set, is too large, holds a private key or no usable key at all. Single keys that
    /// are of no use here (another kind, for encryption, too weak) are skipped, as RFC 7517 §5 asks.
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
            root = try JSONNode.parse(document)
        } catch {
            throw .notJSON(error)
        }
        guard case .object = root.value, case .array(let nodes) = root["keys"]?.value else { throw .notAKeySet }
        guard nodes.count <= FixedBounds.keySetKeys else { throw .tooManyKeys(limit: FixedBounds.keySetKeys) }
        var keys: [Key] = []
        var skipped: [SkippedKey] = []
        for (index, node) in nodes.enumerated() {
            guard case .object = node.value else { throw .notAKeySet }
            let jwk = JWK(node)
            if jwk.isPrivate { throw .privateKey(index: index) }
            let key: Key
            do throws(SkippedKey.Reason) { key = try jwk.key(isLocal: isLocal, cryptography: cryptography) } catch {
                skipped.append(SkippedKey(index: index, kid: jwk.kid, reason: error))
                continue
            }
            keys.append(try key.checkingSecret(allowsShort: allowsShortSecrets, at: index, node.position))
        }
        guard !keys.isEmpty else { throw .noUsableKey(skipped) }
        try checkKids(of: keys)
        let reading = isLocal ? allowsShortSecrets ? "local, short" : "local" : "remote"
        let fingerprint = fingerprint(document, readAs: reading, cryptography)
        return KeySet(keys: keys, skipped: skipped, fingerprint: fingerprint)
    }

    /// Reads a PEM public key or certificate.
    /// - Parameters:
    ///   - kid: the only `kid` the key answers to; without one it verifies tokens of any.
    ///   - algorithm: the only algorithm it is for; without one, all that its kind can do.
    package static func parse(
        pem text: Span<UInt8>, kid: String?, algorithm: SignatureAlgorithm?, cryptography: any Cryptography
    ) throws(KeySetError) -> KeySet {
        let verification: any VerificationKey
        do throws(KeyMaterialError) {
            verification = try cryptography.verificationKey(fromPEM: text)
        } catch {
            throw .badPEM(error)
        }
        if let algorithm, !verification.algorithms.contains(algorithm) { throw .algorithmUnfit(algorithm) }
        let key = Key(
            kid: kid, algorithms: algorithm.map { [$0] } ?? verification.algorithms, verification: verification)
        let reading = "\(algorithm?.rawValue ?? "any") \(kid.map { "kid \($0)" } ?? "any kid")"
        let fingerprint = fingerprint(text, readAs: reading, cryptography)
        return KeySet(keys: [key], skipped: [], fingerprint: fingerprint, servesAnyKid: kid == nil)
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

    private static func checkKids(of keys: [Key]) throws(KeySetError) {
        for key in keys {
            guard let kid = key.kid else { continue }
            for algorithm in key.algorithms {
                let rivals = keys.count { $0.serves(algorithm) && $0.kid?.isExactly(kid) ?? false }
                if rivals > keysPerKid { throw .tooManyKeysOfOneKid(kid) }
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
