import Core

/// Routes that ask for all of several credentials.
extension Snapshot {
    /// Nothing is judged unless every credential is shown: one alone cannot be tried out here. Then the order of the names
    /// decides who is calling and nothing else: one that is refused refuses the request, whatever the others are.
    ///
    /// Leaves the identities beside the first one in `memory.others`.
    func recogniseAll(
        _ head: inout RequestHead, _ connection: ConnectionFacts, _ route: Route, _ context: RequestContext,
        _ memory: DecisionMemory
    ) -> Recognition {
        memory.others.removeAll(keepingCapacity: true)
        let missing = Recognition.refused(Refusal(.credentialMissing, client: context.client, route: route))
        var isShort = false
        for (index, group) in route.credentials.groups.enumerated() where !Self.isShown(&head, group, connection, memory) {
            isShort = true
            // Nothing is judged here: at most the scheme of `Authorization` is named.
            let found = recognise(&head, group: index, connection, route, context, memory)
            if case .refused = found { return found }
        }
        if isShort { return missing }
        var first: Recognition?
        var shown = CredentialPlan.ProbeIndex.none
        // What cannot be decided now: a key set to be fetched, a store that cannot be read.
        var doubt: Recognition?
        for index in route.credentials.groups.indices {
            let found = recognise(&head, group: index, connection, route, context, memory)
            switch found {
            case .identity(let identity, _):
                if index == 0 {
                    (first, shown) = (found, memory.shown)
                } else {
                    memory.others.append(identity)
                }
            case .missing: return missing
            case .wait: doubt = doubt ?? found
            case .refused(let refusal):
                if refusal.denial.status < 500 { return found }
                doubt = doubt ?? found
            }
        }
        memory.shown = shown
        return doubt ?? first ?? missing
    }

    /// Something is shown in a place of the group, good or bad. `Authorization` of another scheme, or a
    /// bearer token of a prefix that is not the group's, is for another.
    private static func isShown(
        _ head: inout RequestHead, _ group: [CredentialPlan.Probe], _ connection: ConnectionFacts, _ memory: DecisionMemory
    ) -> Bool {
        for probe in group {
            if probe.place.kind == .certificate {
                if connection.clientCertificate != nil { return true }
                continue
            }
            switch probe.find(in: &head, scratch: &memory.scratch) {
            case .absent, .otherScheme: continue
            case .refused, .decoded: return true
            case .inHead(let range): if probe.judge(of: head.bytes.span.extracting(range)) != nil { return true }
            }
        }
        return false
    }
}
