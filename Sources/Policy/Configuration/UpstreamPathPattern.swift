import Core

/// The pattern of the path that goes on to the upstream, taken apart: `/v2/{stored_credential./account}/**`.
package struct UpstreamPathPattern: Sendable, Equatable {
    /// What is wrong with one.
    package enum Fault: Error, Equatable, Sendable {
        case path(PathPatternError)
        case template(TemplateError)

        /// One line, for diagnostics.
        package var message: String {
            switch self {
            case .path(let error): error.message
            case .template(let error): error.message
            }
        }
    }

    /// The parts of each segment; literals in the normal form of paths.
    package var segments: [[TemplatePart]]
    package var tail: PathPattern.Tail

    /// Takes a pattern apart and checks it. A "/" within a placeholder is part of a pointer.
    package init(_ text: String) throws(Fault) {
        guard text.utf8.first == 0x2F else { throw .path(.notAbsolute) }
        guard text.utf8.count <= PathPattern.byteLimit else { throw .path(.tooLong) }
        var pieces: [String] = [""]
        var isInside = false
        for scalar in text.unicodeScalars.dropFirst() {
            if scalar == "{" { isInside = true }
            if scalar == "}" { isInside = false }
            if scalar == "/", !isInside { pieces.append("") } else { pieces[pieces.count - 1].unicodeScalars.append(scalar) }
        }
        tail = .none
        if pieces.last == "**" { tail = .rest }
        if pieces.last == "" { tail = .slash }
        if tail != .none { pieces.removeLast() }
        guard pieces.count <= PathPattern.segmentLimit else { throw .path(.tooManySegments) }
        segments = []
        for piece in pieces { segments.append(try Self.segment(piece)) }
    }

    /// The template is somewhere in it.
    package var parts: [TemplatePart] { segments.flatMap(\.self) }

    private static func segment(_ piece: String) throws(Fault) -> [TemplatePart] {
        guard !piece.isEmpty else { throw .path(.emptySegment) }
        let parts: [TemplatePart]
        do throws(TemplateError) { parts = try TemplateSyntax.parse(piece) } catch { throw .template(error) }
        var result: [TemplatePart] = []
        for part in parts {
            guard case .literal(let text) = part else {
                result.append(part)
                continue
            }
            do throws(PathPatternError) {
                let bytes = try PathPattern.normalised(Array(text.utf8)[...])
                if parts.count == 1, bytes == [0x2E] || bytes == [0x2E, 0x2E] { throw PathPatternError.dotSegment }
                result.append(.literal(String(decoding: bytes, as: UTF8.self)))
            } catch {
                throw .path(error)
            }
        }
        return result
    }
}
