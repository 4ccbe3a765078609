import Core

/// What the fields of one head say about framing and about the connection, gathered line by line (RFC 9112 §6, §9).
struct FramingFields {
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var closes = false
    private(set) var keepsAlive = false
    private(set) var upgrades = false
    /// Connection names fields that are not dropped in any case.
    private var namesFields = false
    private var optionCount = 0

    /// Takes note of a Content-Length: one number, once, no list.
    mutating func takeContentLength(_ value: Span<UInt8>) -> FramingFieldFault? {
        guard contentLength == nil else { return .contentLengthRepeated }
        guard let length = value.contentLength else { return .contentLengthInvalid }
        contentLength = length
        return nil
    }

    /// Takes note of a Transfer-Encoding. Only `chunked` is understood, and only once. A list that ends in chunked but
    /// names more is a coding this program lacks; one that does not end in chunked has no end that can be trusted.
    /// A list with an empty element is invalid: RFC 9110 §5.6.1.2 would have it ignored, but parsers disagree about
    /// what `, chunked` says, and which bytes are content depends on it.
    mutating func takeTransferEncoding(_ value: Span<UInt8>) -> FramingFieldFault? {
        guard !isChunked else { return .transferEncodingRepeated }
        if value.equalsIgnoringCase("chunked") {
            isChunked = true
            return nil
        }
        var chunkedCount = 0
        var endsInChunked = false
        var start = 0
        while start <= value.count {
            let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
            let coding = value.extracting(value.trimmed(start..<end))
            guard !coding.isEmpty else { return .transferEncodingInvalid }
            endsInChunked = coding.equalsIgnoringCase("chunked")
            if endsInChunked { chunkedCount &+= 1 }
            start = end &+ 1
        }
        return endsInChunked && chunkedCount == 1 ? .transferCodingNotSupported : .transferEncodingInvalid
    }

    /// Takes note of a Connection field: a list of tokens, of which no head may name more than
    /// `FixedBounds.connectionOptions`, since each is compared with each field. Options with a parameter are ignored.
    mutating func takeConnection(_ value: Span<UInt8>) -> FramingFieldFault? {
        if value.equalsIgnoringCase("keep-alive") {
            keepsAlive = true
            return nil
        }
        var start = 0
        while start < value.count {
            let end = value.firstIndex(of: 0x2C, from: start) ?? value.count
            let option = value.extracting(value.trimmed(start..<end))
            start = end &+ 1
            if option.isEmpty { continue }
            let tokenEnd = option.firstIndexOutsideToken(from: 0)
            // An option with a parameter ("timeout=5", which belongs into Keep-Alive) names no field, and says nothing here.
            let isParameter = tokenEnd > 0 && tokenEnd < option.count && option[tokenEnd] == 0x3D
            guard tokenEnd == option.count || isParameter else { return .connectionInvalid }
            optionCount &+= 1
            guard optionCount <= FixedBounds.connectionOptions else { return .connectionInvalid }
            if isParameter { continue }
            if option.equalsIgnoringCase("close") {
                closes = true
            } else if option.equalsIgnoringCase("keep-alive") {
                keepsAlive = true
            } else if option.equalsIgnoringCase("upgrade") {
                upgrades = true
            } else {
                namesFields = true
            }
        }
        return nil
    }

    /// Drops every field that a Connection field names (RFC 9110 §7.6.1). Host, Content-Length and Transfer-Encoding
    /// may be among them: that is harmless, since the writers make those three anew from what was parsed.
    func dropNamedFields(_ fields: inout [FieldLine], in bytes: Span<UInt8>) {
        guard namesFields else { return }
        for line in fields.indices where fields[line].known == .connection {
            let range = fields[line].value.range
            var start = range.lowerBound
            while start < range.upperBound {
                let end = bytes.extracting(0..<range.upperBound).firstIndex(of: 0x2C, from: start) ?? range.upperBound
                let option = bytes.extracting(bytes.trimmed(start..<end))
                for other in fields.indices
                where option.equalsIgnoringCase(bytes.extracting(fields[other].name.range)) {
                    fields[other].isDropped = true
                }
                start = end &+ 1
            }
        }
    }
}

/// What can be wrong with the fields that decide framing and connection.
enum FramingFieldFault {
    case contentLengthInvalid, contentLengthRepeated
    case transferEncodingInvalid, transferEncodingRepeated, transferCodingNotSupported
    case connectionInvalid
}
