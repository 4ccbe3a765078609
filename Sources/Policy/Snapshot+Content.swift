package import Core

/// Content that the gateway holds back until it is whole: to find a realm in it, or to change it.
extension Snapshot {
    /// What is wrong with the kind of a request's content where the gateway reads it before it goes on: only JSON and forms in
    /// UTF-8 and without a coding can be read for sure.
    func unreadableContent(of head: RequestHead, _ route: Route) -> Denial? {
        guard route.action == nil, route.realm?.contentParameter != nil || route.content != nil, head.announcesContent else {
            return nil
        }
        guard !Self.hasCoding(head), let type = RealmContent.MediaType(Self.contentType(of: head)),
            type != .form || route.content?.takesForms ?? true
        else { return .contentTypeNotSupported }
        return nil
    }

    /// The content comes in another coding than its own (RFC 9110 §8.4), by whatever spelling of the field's name a
    /// CGI-like server takes for it.
    private static func hasCoding(_ head: RequestHead) -> Bool {
        head.fields.contains { field in
            field.known == .other && field.name.count == 16
                && FieldFilter.areSame(String(decoding: head.bytes[field.name.range], as: UTF8.self), "content-encoding")
                && !head.bytes.span.extracting(field.value.range).equalsIgnoringCase("identity")
        }
    }

    /// A request without content that says what its content is, by a method that has some: what the route sets is all its content.
    static func hasEmptyContent(_ head: RequestHead, _ route: Route) -> Bool {
        switch head.method {
        case .get, .head, .delete, .options, .trace, .connect: return false
        case .post, .put, .patch, .other: break
        }
        guard !hasCoding(head), let type = RealmContent.MediaType(contentType(of: head)) else { return false }
        return type != .form || route.content?.takesForms ?? false
    }

    /// The content of a granted request as its route changes it; the head then says how long it is. For `prepare` has been
    /// called with the same head, which fills `plan`.
    /// - Parameter content: whole, as the client sent it or as it went to another server before.
    package func changeContent(
        _ content: [UInt8], of grant: Grant, head: inout RequestHead, requestID: Span<UInt8>,
        showing stored: UpstreamCredential?, plan: borrowing UpstreamPlan
    ) throws(Denial) -> [UInt8] {
        guard let rules = grant.route.content, let type = RealmContent.MediaType(Self.contentType(of: head)),
            !content.isEmpty || Self.hasEmptyContent(head, grant.route)
        else { return content }
        var source = grant.templateSource
        source.stored = stored
        let path = plan.path
        let changed = try rules.changed(content, type, source, path: path.span, requestID: requestID)
        head.framing = .length(UInt64(changed.count))
        return changed
    }
}
