import Core

/// The path that goes on in place of the one that was matched.
///
/// Each placeholder is one segment, or part of one, whatever its value: it is percent-encoded, and refused where some server would
/// still take it for something else. What `/**` of the match took goes on as it is encoded.
struct UpstreamPath: Sendable {
    private enum Part: Sendable {
        case literal([UInt8])
        case value(ValueTemplate, absent: Denial)
    }

    private let segments: [[Part]]
    private let tail: PathPattern.Tail
    /// Segments of the matched pattern; what is behind them is what its `/**` took.
    private let matchedSegments: Int
    /// A part of it is taken from the path.
    let usesPath: Bool
    /// A part of it is a user's of the store.
    let usesUser: Bool

    /// Nil for what the reader of the configuration refuses.
    init?(_ pattern: UpstreamPathPattern, matched: PathPattern) {
        var segments: [[Part]] = []
        var templates: [ValueTemplate] = []
        for segment in pattern.segments {
            var parts: [Part] = []
            for part in segment {
                if case .literal(let text) = part {
                    parts.append(.literal(Array(text.utf8)))
                } else {
                    guard let value = ValueTemplate([part], pattern: matched) else { return nil }
                    templates.append(value)
                    parts.append(.value(value, absent: Self.denial(ofAbsent: part)))
                }
            }
            segments.append(parts)
        }
        self.segments = segments
        tail = pattern.tail
        matchedSegments = matched.segments.count
        usesPath = templates.contains(where: \.usesPath)
        usesUser = templates.contains(where: \.usesUser)
    }

    private static func denial(ofAbsent part: TemplatePart) -> Denial {
        if case .storedCredential = part { return .upstreamCredentialMissing }
        return part.needsIdentity ? .claimMismatch : .path(.emptySegment)
    }

    /// Appends the path. A denial where a value is absent, or would not be one segment to every server.
    /// - Parameters:
    ///   - path: the normalized path, for captures.
    ///   - forwarded: the path as it would go on otherwise.
    func append(
        to output: inout [UInt8], _ source: TemplateSource, path: Span<UInt8>, forwarded: Span<UInt8>, requestID: Span<UInt8>,
        readings: PathReadingSet
    ) -> Denial? {
        let start = output.count
        for segment in segments {
            output.append(0x2F)
            for part in segment {
                switch part {
                case .literal(let bytes): output += bytes
                case .value(let template, let absent):
                    var value: [UInt8] = []
                    guard template.render(source, path: path, requestID: requestID, form: .exact, to: &value), !value.isEmpty else {
                        return absent
                    }
                    guard value.count <= ValueTemplate.byteLimit else { return .identityTooLarge }
                    if Self.isAmbiguous(value.span, readings) { return .path(.ambiguous) }
                    output.append(percentEncoding: value.span)
                }
            }
        }
        switch tail {
        case .none: break
        case .slash: output.append(0x2F)
        case .rest:
            if let slash = Self.end(of: matchedSegments, in: forwarded) { output.append(contentsOf: forwarded.extracting(slash...)) }
        }
        if output.count == start { output.append(0x2F) }
        if readings.contains(.authority), Self.beginsWithSlash(output.span.extracting((start &+ 1)...)) { return .path(.ambiguous) }
        return nil
    }

    /// Some server takes the value for another one, or for more than a segment. Dot segments are found in the whole path.
    private static func isAmbiguous(_ value: Span<UInt8>, _ readings: PathReadingSet) -> Bool {
        let last = value[value.count &- 1]
        return readings.contains(.doubleDecoding) && value.firstIndex(of: 0x25) != nil
            || readings.contains(.parameters) && value.firstIndex(of: 0x3B) != nil
            || readings.contains(.encodedSlash) && (value.firstIndex(of: 0x2F) != nil || value.firstIndex(of: 0x5C) != nil)
            || readings.contains(.trailingDots) && (last == 0x2E || last == 0x20)
    }

    /// An encoded slash or backslash is first.
    private static func beginsWithSlash(_ path: Span<UInt8>) -> Bool {
        var index = 0
        guard path.count > 2, path[0] == 0x25 else { return false }
        while index &+ 2 < path.count, path[index &+ 1] == 0x32, path[index &+ 2] == 0x35 { index &+= 2 }
        guard index &+ 2 < path.count else { return false }
        let (high, low) = (path[index &+ 1], path[index &+ 2].lowercasedASCII)
        return high == 0x32 && low == 0x66 || high == 0x35 && low == 0x63
    }

    /// The slash behind so many segments; nil where the path ends before.
    private static func end(of count: Int, in path: Span<UInt8>) -> Int? {
        var slash = path.firstIndex(of: 0x2F)
        for _ in 0..<count {
            guard let start = slash else { return nil }
            slash = path.firstIndex(of: 0x2F, from: start &+ 1)
        }
        return slash
    }
}
