import Core

/// A compiled header or claim template, ready to be filled in for a request.
struct ValueTemplate: Sendable {
    /// Whether values are escaped for a field or stand as they are, for comparison.
    enum Form { case field, exact }

    enum Part: Sendable {
        /// As it is compared, and as it is sent.
        case literal(exact: [UInt8], field: [UInt8])
        /// The capture in this segment of the path, counted from 0.
        case capture(segment: Int)
        case subject, credential, issuer, method, scopes, clientIP, requestID, route, keyID, realm, userEmail, userName
        case claim(JSONPointer)
        case claimJSON(JSONPointer)
        case storedCredential(JSONPointer)
        case certificate(CertificateField)
    }

    private let parts: [Part]
    /// A part of it is taken from the path.
    let usesPath: Bool
    /// A part of it exists only for a caller who has shown a credential.
    let needsIdentity: Bool
    /// A part of it is a user's of the store.
    let usesUser: Bool
    /// No part of it is taken from the request: it depends on the identity and the route alone.
    let isFixed: Bool

    /// A value longer than this is not sent; the request is refused instead.
    static let byteLimit = 8192

    /// A text that stands as it is, in fields too.
    init(verbatim text: [UInt8]) {
        parts = [.literal(exact: text, field: text)]
        usesPath = false
        usesUser = false
        needsIdentity = false
        isFixed = true
    }

    /// Compiles parsed parts for a route with this path pattern. Nil for a capture that the pattern does not have and
    /// for a malformed pointer, both of which the reader of the configuration refuses.
    init?(_ parts: [TemplatePart], pattern: PathPattern) {
        var compiled: [Part] = []
        for part in parts {
            guard let next = Self.compile(part, pattern) else { return nil }
            compiled.append(next)
        }
        self.parts = compiled
        needsIdentity = parts.contains(where: \.needsIdentity)
        isFixed = parts.allSatisfy(\.isFixed)
        usesUser = parts.contains(.userEmail) || parts.contains(.userName)
        usesPath = parts.contains { part in
            if case .path = part { return true }
            return false
        }
    }

    private static func compile(_ part: TemplatePart, _ pattern: PathPattern) -> Part? {
        switch part {
        case .literal(let text):
            var bytes: [UInt8] = []
            // What the operator wrote in ASCII stays, "%" too; the rest cannot stand in a field.
            for byte in text.utf8 {
                if byte > 0x7E { bytes.append(percentEncoded: byte) } else { bytes.append(byte) }
            }
            return .literal(exact: Array(text.utf8), field: bytes)
        case .path(let name): return pattern.segments.firstIndex(of: .capture(name)).map(Part.capture)
        case .subject: return .subject
        case .credential: return .credential
        case .issuer: return .issuer
        case .method: return .method
        case .scopes: return .scopes
        case .claim(let pointer): return JSONPointer(pointer).map(Part.claim)
        case .claimJSON(let pointer): return JSONPointer(pointer).map(Part.claimJSON)
        case .storedCredential(let pointer): return JSONPointer(pointer).map(Part.storedCredential)
        case .clientIP: return .clientIP
        case .requestID: return .requestID
        case .route: return .route
        case .keyID: return .keyID
        case .realm: return .realm
        case .userEmail: return .userEmail
        case .userName: return .userName
        case .certificate(let field): return .certificate(field)
        }
    }

    /// Appends the value; false, with something perhaps appended, when a part of it is absent, as the subject of nobody
    /// is.
    /// - Parameter path: the normalised path.
    func render(
        _ source: TemplateSource, path: Span<UInt8>, requestID: Span<UInt8>, form: Form, to output: inout [UInt8]
    ) -> Bool {
        for part in parts {
            let isPresent: Bool
            switch part {
            case .literal(let exact, let field):
                output.append(contentsOf: form == .field ? field.span : exact.span)
                isPresent = true
            case .capture(let segment):
                Self.append(captureAt: segment, of: path, form, to: &output)
                isPresent = true
            case .requestID:
                output.append(contentsOf: requestID)
                isPresent = true
            case .clientIP:
                source.client.append(to: &output)
                isPresent = true
            case .route: isPresent = Self.append(source.route, form, to: &output)
            case .method: isPresent = source.identity.appendMethod(to: &output)
            case .subject: isPresent = source.identity.appendSubject(form, to: &output)
            case .credential: isPresent = source.identity.appendCredential(form, to: &output)
            case .issuer: isPresent = Self.append(source.identity.token?.issuer, form, to: &output)
            case .scopes: isPresent = source.identity.appendScopes(form, to: &output)
            case .realm: isPresent = Self.append(source.realm, form, to: &output)
            case .userEmail: isPresent = Self.append(source.user?.email, form, to: &output)
            case .userName: isPresent = Self.append(source.user?.name, form, to: &output)
            case .keyID: isPresent = source.identity.appendKeyID(form, to: &output)
            case .certificate(let field):
                isPresent = source.certificate.map { field.append(of: $0, form, to: &output) } ?? false
            case .claim(let pointer): isPresent = Self.append(claim: source.identity.claim(pointer), form, to: &output)
            case .storedCredential(let pointer):
                isPresent = Self.append(stored: source.stored.flatMap { pointer.resolve(in: $0.document.node) }, form, to: &output)
            case .claimJSON(let pointer):
                guard let node = source.identity.claim(pointer) else { return false }
                FieldText.append(json: node, to: &output)
                isPresent = true
            }
            if !isPresent { return false }
        }
        return true
    }

    /// Appends a text that may be absent.
    static func append(_ text: String?, _ form: Form, to output: inout [UInt8]) -> Bool {
        guard let text, !text.isEmpty else { return false }
        append(text.utf8.span, form, to: &output)
        return true
    }

    static func append(_ text: Span<UInt8>, _ form: Form, to output: inout [UInt8], isElement: Bool = false) {
        switch form {
        case .field: FieldText.append(text, to: &output, isElement: isElement)
        case .exact: output.append(contentsOf: text)
        }
    }

    private static func append(captureAt segment: Int, of path: Span<UInt8>, _ form: Form, to output: inout [UInt8]) {
        let range = PathSegments.range(of: segment, in: path)
        let raw = path.extracting(range)
        if raw.firstIndex(of: 0x25) == nil {
            append(raw, form, to: &output)
        } else {
            var decoded: [UInt8] = []
            decoded.append(percentDecoding: raw)
            append(decoded.span, form, to: &output)
        }
    }

    /// A scalar as its text, an array of scalars joined by ","; other values are absent.
    private static func append(claim node: JSONNode?, _ form: Form, to output: inout [UInt8]) -> Bool {
        guard let node else { return false }
        guard case .array(let elements) = node.value else {
            return append(scalar: node, form, to: &output, isElement: false)
        }
        if elements.isEmpty { return false }
        for index in elements.indices {
            if index > 0 { output.append(0x2C) }
            guard append(scalar: elements[index], form, to: &output, isElement: true) else { return false }
        }
        return true
    }

    /// A scalar of a stored credential. The upstream compares it byte for byte, so it is escaped only where it could not
    /// stand in a field at all.
    private static func append(stored node: JSONNode?, _ form: Form, to output: inout [UInt8]) -> Bool {
        guard let node else { return false }
        if case .string(let text) = node.value, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            output.append(contentsOf: text.utf8.span)
            return !text.isEmpty
        }
        return append(scalar: node, form, to: &output, isElement: false)
    }

    private static func append(
        scalar node: JSONNode, _ form: Form, to output: inout [UInt8], isElement: Bool
    ) -> Bool {
        switch node.value {
        case .string(let text): append(text.utf8.span, form, to: &output, isElement: isElement)
        case .number(let number): output.append(contentsOf: number.text.utf8.span)
        case .bool(let value): value ? output.append("true") : output.append("false")
        case .null, .array, .object: return false
        }
        return true
    }
}

extension TemplatePart {
    fileprivate var isFixed: Bool {
        switch self {
        case .literal, .subject, .credential, .issuer, .method, .scopes, .claim, .claimJSON, .route, .keyID, .userEmail, .userName: true
        case .path, .clientIP, .requestID, .certificate, .realm, .storedCredential: false
        }
    }
}
