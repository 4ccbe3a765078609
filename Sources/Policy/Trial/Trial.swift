package import Core

/// Tries requests that reach nobody: decides them by the functions the gateway decides by, with buckets and a failure
/// budget of its own, so that nothing is consumed anywhere else.
///
/// What the last request came to stays readable until the next one. Not shared between threads.
package final class Trial {
    /// Buckets of one trial.
    private static let bucketLimit = 4096
    /// The identifier of every request that is tried.
    package static let requestID = "rq_trial"

    package let snapshot: Snapshot
    let memory: DecisionMemory
    /// The last request, marked with what was dropped of it.
    package private(set) var head = RequestHead()
    /// What would go to the upstream beside the head; means something after `.forwarded`.
    package private(set) var plan = UpstreamPlan()
    /// The gateway's own answer after `.refused` and `.answered`.
    package private(set) var answer = LocalAnswer()
    /// The content that would go to the upstream after `.forwarded`; nil where it is not known.
    package private(set) var content: [UInt8]?
    private var lines = HeaderLines()

    package init(_ snapshot: Snapshot, directory: DirectoryCell = DirectoryCell()) {
        self.snapshot = snapshot
        let seed = HashSeed(0x7472_6961_6C00, 0x7365_6564)
        memory = DecisionMemory(
            buckets: BucketTable(bucketLimit: Self.bucketLimit, seed: seed),
            failureBudget: FailureBudget(snapshot.configuration.failureBudget, seed: seed), directory: directory,
            seed: seed)
    }

    /// Fills every bucket and forgets every failure.
    package func forget() {
        if memory.buckets.bucketCount > 0 { memory.buckets.removeAll() }
        memory.failureBudget.removeAll()
    }

    /// Tries a request whose head was read without fault. Nobody waits for keys: where the gateway would fetch some, the
    /// outcome is what follows when the fetch brings nothing.
    /// - Parameter content: the whole content; nil where only the head is known.
    package func make(
        _ request: RequestHead, content: [UInt8]? = nil, connection: ConnectionFacts, now: ClockReading
    ) -> TrialOutcome {
        head = request
        self.content = nil
        var connection = connection
        connection.waited = true
        let id = Array(Self.requestID.utf8)
        switch snapshot.decide(&head, connection: connection, now: now, memory: memory) {
        case .refuse(let refusal), .wait(_, let refusal): return refuse(refusal, now)
        case .answer(let kind):
            snapshot.answer(kind, head: head, requestID: id.span, now: now, into: &answer)
            return .answered(kind)
        case .forward(let grant):
            if let denial = grant.contentDenial(head.framing) { return refuse(Refusal(denial: denial, after: grant), now) }
            if grant.route.action != nil { return .performed(grant) }
            var grant = grant
            let holds = grant.holdsContent(head)
            if holds { head.dropExpectation() }
            do throws(Denial) {
                if holds, let content { grant = try snapshot.settled(grant, head, content: content) }
                let shown = try credential(shownFor: grant, now)
                let denial = snapshot.prepare(
                    grant, head: &head, connection: connection, requestID: id.span, showing: shown, into: &plan)
                if let denial { throw denial }
                self.content = content ?? (head.announcesContent ? nil : [])
                if holds, let whole = self.content {
                    self.content = try snapshot.changeContent(
                        whole, of: grant, head: &head, requestID: id.span, showing: shown, plan: plan)
                }
            } catch {
                return refuse(Refusal(denial: error, after: grant), now)
            }
            return .forwarded(grant)
        }
    }

    /// What the upstream would be shown where nothing is kept of the caller and the route has a stored credential: what the
    /// token itself brings. Nil where it brings nothing and something may be kept.
    private func credential(shownFor grant: Grant, _ now: ClockReading) throws(Denial) -> UpstreamCredential? {
        guard let rule = grant.route.storedCredential else { return nil }
        guard let token = grant.identity.token else { throw .upstreamCredentialMissing }
        let brought: UpstreamCredential?
        do throws(CredentialDocumentFault) { brought = try rule.brought(by: token, now: now) } catch {
            throw .upstreamCredentialMissing
        }
        if rule.refresh != nil { return brought }
        guard let brought, brought.isGood(at: now.wall) else { throw .upstreamCredentialMissing }
        return brought
    }

    /// Tries a request that comes in by a listener: what the listener has to say comes first, then as `make` does.
    /// - Parameter read: reads the head; the denial of one that is none.
    package func make(
        by entrance: Entrance?, _ certificate: Entrance.Certificate, content: [UInt8]? = nil, connection: ConnectionFacts,
        now: ClockReading,
        read: (inout RequestHead) -> Denial?
    ) -> TrialOutcome {
        let verdict = entrance?.verdict(certificate) ?? .served
        switch verdict {
        case .noConnection(let why):
            answer.removeAll()
            return .noConnection(why)
        case .refused(let denial): return refuse(malformed: denial, client: connection.peer, now: now)
        case .served, .redirected: break
        }
        var request = RequestHead()
        if let denial = read(&request) { return refuse(malformed: denial, client: connection.peer, now: now) }
        if case .redirected(let target) = verdict {
            let id = Array(Self.requestID.utf8)
            head = request
            if snapshot.redirect(request, to: target, connection: connection, requestID: id.span, now: now, into: &answer) {
                return .redirected
            }
        }
        return make(request, content: content, connection: connection, now: now)
    }

    /// Answers a request that is none: its head could not be read.
    package func refuse(malformed denial: Denial, client: IPAddress, now: ClockReading) -> TrialOutcome {
        head.removeAll()
        return refuse(Refusal(denial: denial, client: client), now)
    }

    private func refuse(_ refusal: Refusal, _ now: ClockReading) -> TrialOutcome {
        let id = Array(Self.requestID.utf8)
        snapshot.answer(
            refusal, requestID: id.span, now: now, head: head.bytes.isEmpty ? nil : head, into: &answer)
        return .refused(refusal)
    }

    // MARK: What came out

    /// The fields the upstream would get, after `.forwarded`; its Host is empty where it is to be the server's own.
    package func forwardedFields() -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        let host = String(decoding: plan.host, as: UTF8.self)
        if !host.isEmpty { fields.append(("Host", host)) }
        for field in head.fields where !field.isDropped && field.known != .host {
            fields.append((text(field.name), text(field.value)))
        }
        plan.lines.forEach { fields.append((String(decoding: $0.copied(), as: UTF8.self), Self.text($1))) }
        return fields
    }

    /// The fields the gateway would put into the answer.
    package func answerFields(of outcome: TrialOutcome, now: ClockReading) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        switch outcome {
        case .noConnection: break
        case .refused, .answered, .redirected:
            answer.lines.forEach { fields.append((Self.text($0), Self.text($1))) }
        case .forwarded(let grant), .performed(let grant):
            var response = ResponseHead()
            let id = Array(Self.requestID.utf8)
            snapshot.completeResponse(&response, grant: grant, requestID: id.span, now: now, into: &lines)
            grant.route.cors?.complete(&response, of: head, isShadow: grant.route.isShadow, into: &lines)
            lines.forEach { fields.append((Self.text($0), Self.text($1))) }
        }
        return fields
    }

    func text(_ range: ByteRange) -> String { String(decoding: head.bytes[range.range], as: UTF8.self) }

    private static func text(_ bytes: Span<UInt8>) -> String { String(decoding: bytes.copied(), as: UTF8.self) }
}
