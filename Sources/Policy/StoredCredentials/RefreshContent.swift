import Core

/// The content of a refresh request as a tree of JSON values with templates in it.
indirect enum RefreshContent: Sendable {
    case literal(JSONNode)
    case text(ValueTemplate)
    /// A value of the credential's document, of whatever type it is.
    case value(JSONPointer)
    case secret(String)
    case list([RefreshContent])
    case object([(name: String, content: RefreshContent)])

    /// Appends JSON; false, with nothing appended, when the value is absent. Members without a value are left out, elements are null.
    func append(json source: TemplateSource, to output: inout [UInt8]) -> Bool {
        switch self {
        case .literal(let node): output.append(json: node)
        case .text(let template):
            guard let text = template.text(of: source, form: .exact) else { return false }
            output.append(jsonString: text.span)
        case .value(let pointer):
            guard let node = source.stored.flatMap({ pointer.resolve(in: $0.document.node) }) else { return false }
            output.append(json: node)
        case .secret(let text): output.append(jsonString: text)
        case .list(let elements):
            output.append("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(",") }
                if !element.append(json: source, to: &output) { output.append("null") }
            }
            output.append("]")
        case .object(let members):
            output.append("{")
            var isFirst = true
            for member in members {
                var value: [UInt8] = []
                guard member.content.append(json: source, to: &value) else { continue }
                if !isFirst { output.append(",") }
                isFirst = false
                output.append(jsonString: member.name)
                output.append(":")
                output += value
            }
            output.append("}")
        }
        return true
    }

    /// Appends an object's members as `name=value` with "&" between them (WHATWG URL §5.2, with "%20" for spaces).
    func append(form source: TemplateSource, to output: inout [UInt8]) {
        guard case .object(let members) = self else { return }
        var isFirst = true
        for member in members {
            guard let value = member.content.text(of: source) else { continue }
            if !isFirst { output.append("&") }
            isFirst = false
            output.append(percentEncoding: member.name.utf8.span)
            output.append("=")
            output.append(percentEncoding: value.span)
        }
    }

    /// A scalar as its text; nil when it is absent, null or none.
    private func text(of source: TemplateSource) -> [UInt8]? {
        switch self {
        case .literal(let node): node.scalarText
        case .text(let template): template.text(of: source, form: .exact)
        case .value(let pointer): source.stored.flatMap { pointer.resolve(in: $0.document.node) }.flatMap(\.scalarText)
        case .secret(let text): Array(text.utf8)
        case .list, .object: nil
        }
    }
}

extension [UInt8] {
    /// Appends text with everything but unreserved characters percent-encoded (RFC 3986 §2.3): the value of a query
    /// parameter.
    mutating func append(percentEncoding text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            let isUnreserved = byte.isLetterOrDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
            if isUnreserved { append(byte) } else { append(percentEncoded: byte) }
        }
    }
}
