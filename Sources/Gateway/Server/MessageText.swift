import Core
import HTTP1
import HTTP2
import Policy

/// Puts the policy's values and the writers of HTTP/1 together. Values come as parameters because a span of a class's
/// stored property cannot be lent out, and as `inout` though nothing is changed, because lending them otherwise would
/// copy them: a retain and a release for each array inside.
enum MessageText {
    /// `serverHost` is the Host field where the plan names none.
    static func append(
        requestTo out: inout ByteBuffer, head: inout RequestHead, plan: borrowing UpstreamPlan, serverHost: [UInt8]
    ) {
        if plan.host.isEmpty {
            RequestWriter.append(
                requestTo: &out, head: head, target: plan.target.span, host: serverHost.span, framing: head.framing,
                added: plan.lines)
        } else {
            RequestWriter.append(
                requestTo: &out, head: head, target: plan.target.span, host: plan.host.span, framing: head.framing,
                added: plan.lines)
        }
    }

    /// Opens a stream with the same request; nil when none can be opened.
    static func submit(
        to session: HTTP2ClientSession, head: inout RequestHead, plan: borrowing UpstreamPlan, server: UpstreamServer,
        isWebSocket: Bool
    ) -> HTTP2Stream? {
        let host = plan.host.isEmpty ? server.hostField : plan.host
        return session.submitRequest(
            head: &head, target: plan.target.span, host: host.span, isSecure: server.security != nil,
            framing: head.framing, added: plan.lines, isWebSocket: isWebSocket)
    }

    static func append(
        responseTo out: inout ByteBuffer, head: inout ResponseHead, framing: ResponseFraming, version: HTTPVersion,
        lines: borrowing HeaderLines, closes: Bool, date: inout [UInt8]
    ) {
        ResponseWriter.append(
            responseTo: &out, status: head.status, reason: head.bytes.span.extracting(head.reason.range), head: head,
            framing: framing, version: version, added: lines, closes: closes, date: date.span)
    }

    static func append(
        answerTo out: inout ByteBuffer, _ answer: borrowing LocalAnswer, for head: inout RequestHead, closes: Bool,
        date: inout [UInt8]
    ) {
        ResponseWriter.append(
            localResponseTo: &out, status: answer.status, lines: answer.lines, body: answer.body.span,
            requestMethod: head.method, version: head.version, closes: closes, date: date.span)
    }
}
