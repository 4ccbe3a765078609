package import Core
import IO
package import Policy

/// A policy that can be asked why: the snapshot, and the text it was made from.
package struct ExplainablePolicy: Sendable {
    private let snapshot: Snapshot
    private let text: [UInt8]
    private let file: String

    package init(_ policy: CompiledPolicy) {
        snapshot = policy.snapshot
        text = policy.text
        file = policy.file
    }

    /// Access records are written, and so the last ones are known.
    var isLogging: Bool { snapshot.configuration.accessLog != .off }

    /// Explains one request. Takes some hundred microseconds, so never on a loop.
    /// - Parameters:
    ///   - standing: what a running gateway has counted; nil begins afresh.
    ///   - now: the present unless it is given; the request's own time comes before its wall clock.
    package func explain(
        _ request: ExplainRequest, standing: Explainer.Standing? = nil, directory: DirectoryCell = DirectoryCell(),
        now: ClockReading? = nil
    ) throws(ExplainFault) -> Explanation {
        guard let document else {
            throw ExplainFault("the policy's text is not at hand")
        }
        var clock = now ?? EventLoop.readClocks()
        if let time = request.time { clock.wall = time }
        let client = request.client ?? PolicyTestConfiguration.defaultClient
        let connection = ConnectionFacts(
            peer: client, peerPort: 50_000, localPort: request.port, isSecure: request.isSecure, waited: true)
        var head = RequestHead()
        let denial = RequestHead.read(request.head.span, bounds: snapshot.configuration.bounds, into: &head)
        let explainer = Explainer(snapshot, document: document, directory: directory, standing: standing)
        var explanation = explainer.explain(
            denial.map(Explainer.Request.malformed) ?? .read(head), connection: connection, now: clock)
        explanation.remarks = request.remarks + remarks(request)
        return explanation
    }

    /// Where its rules stand.
    var document: PolicyDocument? { PolicyDocument(text.span, file: file) }

    /// The rule by which requests to a route are refused with a reason.
    func rule(for reason: String, route: String?, credential: String?, fingerprint: UInt32?) -> RuleReference? {
        document?.rule(
            for: reason, route: route, credential: credential, fingerprint: fingerprint, in: snapshot.configuration)
    }

    private func remarks(_ request: ExplainRequest) -> [String] {
        var remarks: [String] = []
        if request.client == nil {
            remarks.append("no client address was given: \(PolicyTestConfiguration.defaultClient) stands for a stranger's")
        }
        let listeners = snapshot.configuration.listeners.filter { $0.address.port == request.port }
        if !request.isSecure, listeners.contains(where: { $0.redirect != nil }) {
            remarks.append("the listener of port \(request.port) answers requests in clear with a redirect to https")
        }
        return remarks
    }
}
