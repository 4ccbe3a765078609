import Core

/// Reads a keys file: JSON Lines, one record object a line (see `APIKeyRecordParser`), empty lines allowed. The caller
/// reads the file and hands its bytes over in pieces of any size.
///
/// Plain lines, which is nearly all of them, are read by `KeysFileLine` without building a JSON tree; a line that is in
/// any way out of the ordinary goes through the strict reader, which accepts it or says what is wrong.
package struct KeysFile {
    /// Distinct sets of scopes, addresses and limits that plain lines can name.
    private static let rememberedProfiles = 65_536

    private let parser: APIKeyRecordParser
    /// The beginning of a line whose end has not come yet.
    private var pending: [UInt8] = []
    private var lineNumber = 0
    private var line: KeysFileLine
    /// From the lists of a plain line, as they are spelled, to the profile they stand for.
    private var profiles: [[UInt8]: UInt32] = [:]

    package init(digestMember: APIKeyRecordParser.DigestMember) {
        parser = APIKeyRecordParser(digestMember: digestMember)
        line = KeysFileLine(digestMember: digestMember)
    }

    /// Reads the lines that end in `chunk`. The first error ends the reading; its position counts from the file's
    /// start.
    package mutating func feed(
        _ chunk: Span<UInt8>, into builder: inout APIKeyTable.Builder
    ) throws(APIKeyRecordError) {
        var start = 0
        while let end = chunk.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            let piece = chunk.extracting(start..<end)
            if pending.isEmpty {
                try read(piece, into: &builder)
            } else {
                try keep(piece)
                try readPending(into: &builder)
            }
            start = end + 1
        }
        try keep(chunk.extracting(start..<chunk.count))
    }

    /// Reads the last line, if the file does not end with a line feed.
    package mutating func finish(into builder: inout APIKeyTable.Builder) throws(APIKeyRecordError) {
        if !pending.isEmpty { try readPending(into: &builder) }
    }

    private mutating func keep(_ piece: Span<UInt8>) throws(APIKeyRecordError) {
        guard pending.count + piece.count <= APIKeyBounds.lineBytes else {
            lineNumber += 1
            throw tooLong()
        }
        pending.append(contentsOf: piece)
    }

    private mutating func readPending(into builder: inout APIKeyTable.Builder) throws(APIKeyRecordError) {
        let whole = pending
        pending.removeAll()
        try read(whole.span, into: &builder)
    }

    private mutating func read(
        _ bytes: Span<UInt8>, into builder: inout APIKeyTable.Builder
    ) throws(APIKeyRecordError) {
        lineNumber += 1
        guard bytes.count <= APIKeyBounds.lineBytes else { throw tooLong() }
        var isPlain = line.read(bytes)
        if isPlain, let profile = profiles[line.lists] {
            return try add(to: &builder) { (builder) throws(APIKeyTableError) in
                try builder.add(
                    id: bytes.extracting(line.id), subject: bytes.extracting(line.subject), digest: line.digest,
                    notBefore: line.notBefore, expiresAt: line.expiresAt, isEnabled: line.isEnabled, profile: profile)
            }
        }
        if Self.isBlank(bytes) { return }
        let record = try strictRecord(bytes)
        try add(to: &builder) { (builder) throws(APIKeyTableError) in try builder.add(record) }
        isPlain = isPlain && profiles.count < Self.rememberedProfiles
        if isPlain { profiles[line.lists] = builder.profile(of: record) }
    }

    private func strictRecord(_ bytes: Span<UInt8>) throws(APIKeyRecordError) -> APIKeyConfiguration {
        let node: JSONNode
        do {
            node = try JSONNode.parse(bytes, dialect: .policy)
        } catch {
            throw APIKeyRecordError(
                .jsonInvalid, path: "", position: placed(error.position), message: error.message)
        }
        var errors: [APIKeyRecordError] = []
        if var record = parser.parse(node, path: "", errors: &errors) {
            record.position = placed(record.position)
            return record
        }
        var first = errors[0]
        first.position = placed(first.position)
        throw first
    }

    private func add(
        to builder: inout APIKeyTable.Builder,
        _ body: (inout APIKeyTable.Builder) throws(APIKeyTableError) -> Void
    ) throws(APIKeyRecordError) {
        do {
            try body(&builder)
        } catch {
            let code: DiagnosticCode =
                switch error {
                case .duplicateID, .duplicateDigest: .keyDuplicate
                case .malformedRecord: .keyRecordInvalid
                case .tooMany: .valueOutOfRange
                }
            throw APIKeyRecordError(
                code, path: "", position: SourcePosition(line: lineNumber, column: 1), message: error.message)
        }
    }

    private func tooLong() -> APIKeyRecordError {
        APIKeyRecordError(
            .valueOutOfRange, path: "", position: SourcePosition(line: lineNumber, column: 1),
            message: "the line is longer than \(APIKeyBounds.lineBytes) bytes")
    }

    /// A position in the line as a position in the file.
    private func placed(_ position: SourcePosition) -> SourcePosition {
        SourcePosition(line: lineNumber + position.line - 1, column: position.column)
    }

    private static func isBlank(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices where !bytes[index].isOptionalWhitespace && bytes[index] != UInt8(ascii: "\r") {
            return false
        }
        return true
    }
}
