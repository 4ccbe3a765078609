import Core

/// Keys that are known and may not be used.
extension ExplanationWriter {
    /// The key that was refused, with the member of its record that stands against it; nil for other refusals.
    func knownKey(_ route: Route) -> Check? {
        guard let denial = outcome.refusal?.denial, let member = denial.keyMember, var head = original else { return nil }
        for probe in refusedProbes(route) {
            var scratch: [UInt8] = []
            switch probe.find(in: &head, scratch: &scratch) {
            case .absent, .refused, .otherScheme: continue
            case .inHead(let range): scratch = Array(head.bytes[range])
            case .decoded: break
            }
            guard let judge = probe.judge(of: scratch.span) else { continue }
            if judge.takesRealmSuffix, probe.place.kind == .bearer { scratch = Array(scratch.prefix { $0 != 0x2C }) }
            guard scratch.count <= KeyAuthenticator.keyByteLimit else { continue }
            for written in judge.keys {
                let digest = written.digest(scratch.span)
                for authenticator in [written, trial.memory.view.stored(beside: written)].compactMap({ $0 }) {
                    guard case .refused(denial) = authenticator.judge(digest, now: now.wall),
                        let record = authenticator.table.lookup(digest)
                    else { continue }
                    let id = Self.string { _ = Identity.apiKey(record, authenticator).appendCredential(to: &$0) }
                    let isStored = authenticator !== written
                    let rule =
                        isStored
                        ? document.rule("authenticators", .member(written.name), "stored")
                        : keyRule(id, written.name, digest, member)
                    let place = isStored ? "the stored key" : "the key"
                    return fail("\(place) \(quoted(id)) of \(written.name): \(denialText)", rule)
                }
            }
        }
        return nil
    }

    private func keyRule(_ id: String, _ authenticator: String, _ digest: Digest256, _ member: String) -> RuleReference {
        let index = document.index(in: "authenticators", .member(authenticator), "keys", where: "id", is: id)
        return index.map { document.keyRule($0, of: authenticator, digest, member) } ?? keyRule(id, authenticator)
    }
}

extension Denial {
    /// The member of a key's record that this denial comes from; nil for other denials.
    var keyMember: String? {
        [(.keyDisabled, "enabled"), (.keyExpired, "expires_at"), (Denial.keyNotYetValid, "not_before")]
            .first { $0.0 == self }?.1
    }
}
