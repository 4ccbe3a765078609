package import Core
import Crypto
import IO
package import Policy

/// A policy that can be asked why: the snapshot, and the text it was made from.
package struct ExplainablePolicy: Sendable {
    private let snapshot: Snapshot
    private let text: [UInt8]
    private let file: String
    /// Who vouches for clients, by listener, in the order of the file.
    private let clientAuthorities: [TrustStore?]

    package init(_ policy: CompiledPolicy) {
        snapshot = policy.snapshot
        text = policy.text
        file = policy.file
        clientAuthorities = policy.listeners.map { $0.tls?.settings.clientCertificates.trust }
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
        var entrance = Entrance(
            snapshot.configuration.listeners, port: request.port, isSecure: request.isSecure, address: request.address)
        entrance?.version = request.version
        var remarks: [String] = []
        let (certificate, shown) = try certificate(of: request, by: entrance, at: clock.wall, &remarks)
        let connection = ConnectionFacts(
            peer: request.client ?? PolicyTestConfiguration.defaultClient, peerPort: 50_000,
            localPort: request.port ?? entrance?.listener.address.port ?? 80, isSecure: request.isSecure, waited: true,
            clientCertificate: shown)
        var head = RequestHead()
        let denial = RequestHead.read(request.head.span, bounds: snapshot.configuration.bounds, into: &head)
        var explainer = Explainer(snapshot, document: document, directory: directory, standing: standing)
        explainer.entrance = entrance
        explainer.certificate = certificate
        var explanation = explainer.explain(
            denial.map(Explainer.Request.malformed) ?? .read(head), connection: connection, now: clock)
        explanation.remarks = request.remarks + remarks + self.remarks(request, entrance)
        return explanation
    }

    /// What the listener makes of the certificate that is shown.
    private func certificate(
        of request: ExplainRequest, by entrance: Entrance?, at time: WallTime, _ remarks: inout [String]
    ) throws(ExplainFault) -> (Entrance.Certificate, ClientCertificate?) {
        guard let text = request.certificate else { return (.none, nil) }
        let certificate: ShownCertificate
        do throws(PEMFault) { certificate = try ShownCertificate(pem: text) } catch {
            throw ExplainFault("the client certificate cannot be read: \(error)")
        }
        guard request.isSecure else {
            remarks.append("a client certificate is shown over https only")
            return (.none, nil)
        }
        guard let entrance, entrance.index < clientAuthorities.count, let authority = clientAuthorities[entrance.index] else {
            remarks.append("no client certificate is asked for, and so none is shown")
            return (.none, nil)
        }
        if let fault = certificate.fault(under: authority, at: time) { return (.bad(fault), nil) }
        return (.good, ClientCertificate(certificate.facts))
    }

    /// Where its rules stand.
    var document: PolicyDocument? { PolicyDocument(text.span, file: file) }

    /// The rule by which requests to a route are refused with a reason.
    func rule(for reason: String, route: String?, credential: String?, fingerprint: UInt32?) -> RuleReference? {
        document?.rule(
            for: reason, route: route, credential: credential, fingerprint: fingerprint, in: snapshot.configuration)
    }

    private func remarks(_ request: ExplainRequest, _ entrance: Entrance?) -> [String] {
        var remarks: [String] = []
        if request.client == nil {
            remarks.append("no client address was given: \(PolicyTestConfiguration.defaultClient) stands for a stranger's")
        }
        if request.certificatePath != nil, request.certificate == nil {
            remarks.append("files are not read here: send the certificate itself as \"certificate\"")
        }
        if request.version == nil, entrance?.listener.protocols == [.http2] {
            remarks.append("the listener speaks HTTP/2 alone: over HTTP/1.1 the answer is 505 http2_required")
        }
        if entrance?.isExact ?? false { return remarks }
        let port = request.port.map { "no listener has the port \($0)" } ?? "nothing tells which listener it came to"
        let speech = request.isSecure ? "TLS" : "HTTP in clear"
        remarks.append(
            entrance.map { "\(port): it is judged as if it came to \($0.listener.address)" }
                ?? "\(port), and none speaks \(speech): it is judged as if what stands before the gateway did")
        return remarks
    }
}
