import Core

/// The path pattern of a route, taken apart: `/a/{name}/b`, `/files/**`.
package struct PathPattern: Sendable, Equatable {
    package enum Segment: Sendable, Equatable {
        /// In normal form: unreserved characters bare, other escapes with upper-case digits (RFC 3986 §6.2.2).
        case literal(String)
        /// Exactly one segment, not empty.
        case capture(String)
    }

    /// What may come after the segments.
    package enum Tail: Sendable, Equatable {
        /// Nothing: `/a` matches `/a` only.
        case none
        /// One "/": `/a/` matches `/a/` only. The pattern `/` has no segments and this tail.
        case slash
        /// `/**`: anything.
        case rest
    }

    package var segments: [Segment]
    package var tail: Tail

    /// Names of the captures, in the order they stand.
    package var captures: [String] {
        segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .capture(let name): name
            }
        }
    }

    package static let byteLimit = 2048
    package static let segmentLimit = 32

    /// Takes a pattern apart and checks it.
    package init(_ text: String) throws(PathPatternError) {
        let bytes = Array(text.utf8)
        guard bytes.first == 0x2F else { throw .notAbsolute }
        guard bytes.count <= Self.byteLimit else { throw .tooLong }
        var pieces = bytes.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        tail = .none
        if let last = pieces.last {
            if last.elementsEqual([0x2A, 0x2A]) { tail = .rest }
            if last.isEmpty { tail = .slash }
        }
        if tail != .none { pieces.removeLast() }
        guard pieces.count <= Self.segmentLimit else { throw .tooManySegments }
        segments = []
        var names: Set<String> = []
        for piece in pieces {
            let segment = try Self.segment(piece)
            if case .capture(let name) = segment, !names.insert(name).inserted { throw .duplicateCapture(name) }
            segments.append(segment)
        }
    }

    /// `[A-Za-z_][A-Za-z0-9_]*`, at most 64 characters.
    package static func isCaptureName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !first.isDigit, name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { $0.isDigit || $0.lowercasedASCII &- 0x61 < 26 || $0 == 0x5F }
    }

    private static func segment(_ piece: ArraySlice<UInt8>) throws(PathPatternError) -> Segment {
        if piece.isEmpty { throw .emptySegment }
        if piece.first == 0x7B, piece.last == 0x7D {
            let name = String(decoding: piece.dropFirst().dropLast(), as: UTF8.self)
            guard isCaptureName(name) else { throw .invalidCapture(name) }
            return .capture(name)
        }
        let literal = try normalised(piece)
        if literal == [0x2E] || literal == [0x2E, 0x2E] { throw .dotSegment }
        return .literal(String(decoding: literal, as: UTF8.self))
    }

    /// A literal in normal form.
    static func normalised(_ piece: ArraySlice<UInt8>) throws(PathPatternError) -> [UInt8] {
        var result: [UInt8] = []
        var rest = piece
        while let byte = rest.popFirst() {
            switch byte {
            case 0x25:
                guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit else {
                    throw .invalidEscape
                }
                let decoded = high << 4 | low
                if decoded < 0x20 || decoded == 0x7F { throw .invalidEscape }
                if decoded.isUnreserved {
                    result.append(decoded)
                } else {
                    result += [0x25, high.upperHexDigit, low.upperHexDigit]
                }
            case 0x7B, 0x7D: throw .partialCapture
            case 0x2A: throw .wildcard
            case 0x3F, 0x23: throw .queryOrFragment
            case _ where byte.isUnreserved || byte.isPathPunctuation: result.append(byte)
            default: throw .invalidCharacter
            }
        }
        return result
    }
}

extension UInt8 {
    /// RFC 3986 §2.3.
    fileprivate var isUnreserved: Bool {
        isDigit || lowercasedASCII &- 0x61 < 26 || self == 0x2D || self == 0x2E || self == 0x5F || self == 0x7E
    }

    /// sub-delims except "*", and ":" and "@" (RFC 3986 §3.3).
    fileprivate var isPathPunctuation: Bool {
        switch self {
        case 0x21, 0x24, 0x26, 0x27, 0x28, 0x29, 0x2B, 0x2C, 0x3B, 0x3D, 0x3A, 0x40: true
        default: false
        }
    }

    fileprivate var upperHexDigit: UInt8 { self < 10 ? 0x30 + self : 0x37 + self }
}
