package import Core

extension Snapshot {
    /// What the route's action is asked to do; nil where requests are forwarded.
    package func actionRequest(
        _ grant: Grant, head: RequestHead, content: [UInt8], requestID: Span<UInt8>, now: ClockReading
    ) -> ActionRequest? {
        guard let action = grant.route.action else { return nil }
        return ActionRequest(
            action: action, route: grant.route, identity: grant.identity, others: grant.others, client: grant.client, method: head.method,
            captures: captures(of: grant, head), query: head.bytes.span.extracting(head.query.range).copied(),
            contentType: Self.contentType(of: head, for: grant.route), content: content,
            requestID: String(decoding: requestID.copied(), as: UTF8.self), now: now,
            realm: grant.namedRealm)
    }

    private func captures(of grant: Grant, _ head: RequestHead) -> [String: String] {
        let received = head.bytes.span.extracting(head.path.range)
        var path: [UInt8] = []
        if grant.pathForm == .unchanged {
            path.append(contentsOf: received)
        } else {
            _ = normaliser.normalise(received, into: &path)
        }
        var captures: [String: String] = [:]
        for capture in grant.route.captures {
            var value: [UInt8] = []
            value.append(percentDecoding: path.span.extracting(PathSegments.range(of: capture.segment, in: path.span)))
            captures[capture.name] = String(decoding: value, as: UTF8.self)
        }
        switch grant.route.managedPaths?.target(of: path.span) {
        case .collection?, nil: break
        case .record(let id)?: captures["id"] = id
        case .operation(let name, let id)?: (captures["id"], captures["operation"]) = (id, name)
        }
        return captures
    }

    /// As below; `text/plain` is JSON to an action whose route lists that type. `fetch` sends it for JSON that is given to it as a
    /// string without a Content-Type.
    private static func contentType(of head: RequestHead, for route: Route) -> String? {
        let type = contentType(of: head)
        guard type == "text/plain", let rule = route.contentTypes, rule.takesPlainText else { return type }
        return "application/json"
    }

    /// The media type of content in UTF-8, without parameters, in lower case; nil without exactly one Content-Type, and
    /// where that could mean another encoding.
    package static func contentType(of head: RequestHead) -> String? {
        var found: ByteRange?
        for field in head.fields where field.known == .contentType {
            if found != nil { return nil }
            found = field.value
        }
        guard let found else { return nil }
        return ContentTypeValue.utf8MediaType(head.bytes.span.extracting(found.range))
    }
}
