import Core

/// Finds out who is calling: steps 7 to 9 of a request's way.
struct RequestAuthenticator {
    let context: RequestContext
    let memory: DecisionMemory
    let snapshot: Snapshot
    /// The client's, if it has shown one.
    let certificate: ClientCertificate?

    enum Outcome {
        case recognised(Identity, fingerprint: UInt32?)
        case refused(Denial, fingerprint: UInt32?, retryAfter: Nanoseconds?)
        case wait(KeySetCell, TokenFault, fingerprint: UInt32?)
    }

    func authenticate(_ head: RequestHead, by plan: CredentialPlan) -> Outcome {
        if let denial = Self.ambiguity(in: head) { return .refused(denial, fingerprint: nil, retryAfter: nil) }
        var identity = Identity.anonymous
        var fingerprint: UInt32?
        var isFirst = true
        for group in plan.groups {
            switch authenticate(head, group, isAlone: plan.groups.count == 1) {
            case .recognised(let found, let mark):
                // Of several that are all asked for the first one is who the request is counted and forwarded for.
                if isFirst {
                    identity = found
                    fingerprint = mark
                }
            case .refused(.credentialMissing, _, _) where plan.isOptional: break
            case .refused(let denial, let mark, let retryAfter):
                return .refused(denial, fingerprint: mark, retryAfter: retryAfter)
            case .wait(let cell, let fault, let mark): return .wait(cell, fault, fingerprint: mark)
            }
            isFirst = false
        }
        return .recognised(identity, fingerprint: fingerprint)
    }

    /// Whom each of the credentials stands for, in the order the plan asks for them; for requests that were recognised.
    func identities(_ head: RequestHead, by plan: CredentialPlan) -> [Identity] {
        plan.groups.compactMap { group in
            if case .recognised(let found, _) = authenticate(head, group, isAlone: plan.groups.count == 1) { return found }
            return nil
        }
    }

    /// The first credential that the group's places show decides. A bearer token of a prefix that is not the group's is
    /// shown and unknown where the group is alone; beside others it is theirs, and this one still asks for its own.
    private func authenticate(_ head: RequestHead, _ group: [CredentialPlan.Probe], isAlone: Bool) -> Outcome {
        for probe in group {
            if case .certificate = probe.place {
                guard let certificate else { continue }
                return judge(certificate, probe)
            }
            switch CredentialFinder.find(probe.place, in: head, scratch: &memory.scratch) {
            case .absent: continue
            case .refused(let denial): return refuse(denial, nil)
            case .inHead(let range):
                let value = head.bytes.span.extracting(range)
                if !isAlone, !probe.concerns(value) { continue }
                return judge(value, probe)
            case .decoded:
                let value = memory.scratch
                return judge(value.span, probe)
            }
        }
        return .refused(.credentialMissing, fingerprint: nil, retryAfter: nil)
    }

    /// Two Authorization fields: no server behind us would read the same one (RFC 9110 §5.3, §11.6.2).
    private static func ambiguity(in head: RequestHead) -> Denial? {
        var count = 0
        for field in head.fields where field.known == .authorization { count &+= 1 }
        return count > 1 ? .credentialAmbiguous : nil
    }

    private func judge(_ value: Span<UInt8>, _ probe: CredentialPlan.Probe) -> Outcome {
        if let retryAfter = memory.failureBudget.retryAfter(context.client, now: context.now.instant) {
            return .refused(.tooManyFailures, fingerprint: nil, retryAfter: retryAfter)
        }
        for judge in probe.judges where value.hasPrefix(judge.prefix.span) {
            if let tokens = judge.tokens, judge.keys.isEmpty || Self.looksLikeToken(value) {
                return verify(value, by: tokens)
            }
            return lookUp(value, in: judge.keys)
        }
        return refuse(.credentialUnknown, nil)
    }

    /// One that no authenticator knows is shown and bad.
    private func judge(_ certificate: ClientCertificate, _ probe: CredentialPlan.Probe) -> Outcome {
        let fingerprint = certificate.fingerprint.fingerprint
        if let retryAfter = memory.failureBudget.retryAfter(context.client, now: context.now.instant) {
            return .refused(.tooManyFailures, fingerprint: fingerprint, retryAfter: retryAfter)
        }
        var denial = Denial.credentialUnknown
        for authenticator in probe.judges.lazy.flatMap(\.certificates) {
            switch authenticator.judge(certificate, now: context.now.wall) {
            case .accepted(let identity): return .recognised(.certificate(identity), fingerprint: fingerprint)
            case .refused(let found): denial = found
            }
        }
        return refuse(denial, fingerprint)
    }

    private func lookUp(_ key: Span<UInt8>, in authenticators: [KeyAuthenticator]) -> Outcome {
        guard key.count <= KeyAuthenticator.keyByteLimit else { return refuse(.credentialUnknown, nil) }
        var fingerprint: UInt32?
        for authenticator in authenticators {
            let digest = authenticator.digest(key)
            if fingerprint == nil { fingerprint = digest.fingerprint }
            switch authenticator.judge(digest, now: context.now.wall) {
            case .accepted(let record):
                return .recognised(.apiKey(record, authenticator), fingerprint: digest.fingerprint)
            case .refused(.credentialUnknown): continue
            case .refused(let denial): return refuse(denial, digest.fingerprint)
            }
        }
        return refuse(.credentialUnknown, fingerprint)
    }

    private func verify(_ token: Span<UInt8>, by table: IssuerTable) -> Outcome {
        switch table.verify(token, now: context.now, cache: memory.tokens) {
        case .verified(let token): return .recognised(.token(token), fingerprint: token.digest.fingerprint)
        case .refused(let fault): return refuse(.token(fault), fingerprint(of: token))
        case .notMine: return refuse(.token(.issuerUnknown), fingerprint(of: token))
        case .unknownKey(let cell, let kid, let fault):
            let mark = fingerprint(of: token)
            if !context.hasWaited, cell.mayRefetch(forUnknownKid: kid, now: context.now.instant) {
                return .wait(cell, fault, fingerprint: mark)
            }
            return refuse(.token(fault), mark)
        }
    }

    /// Refuses and charges the address for it where a credential was shown and bad.
    private func refuse(_ denial: Denial, _ fingerprint: UInt32?) -> Outcome {
        if denial.countsAsFailure { memory.failureBudget.recordFailure(context.client, now: context.now.instant) }
        return .refused(denial, fingerprint: fingerprint, retryAfter: nil)
    }

    private func fingerprint(of token: Span<UInt8>) -> UInt32 { snapshot.cryptography.sha256(token).fingerprint }

    /// The compact form of a token has exactly two dots (RFC 7515 §3.1).
    private static func looksLikeToken(_ value: Span<UInt8>) -> Bool {
        var dots = 0
        for index in value.indices where value[index] == 0x2E { dots &+= 1 }
        return dots == 2
    }
}

extension Digest256 {
    /// What logs show of a credential: eight hexadecimal digits' worth.
    var fingerprint: UInt32 { UInt32(truncatingIfNeeded: a >> 32) }
}
