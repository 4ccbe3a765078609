import Core

@testable import Policy

/// A digest that no other number has.
func digest(_ number: Int) -> Digest256 {
    var generator = SeededGenerator(state: UInt64(truncatingIfNeeded: number))
    return Digest256(generator.next(), generator.next(), generator.next(), generator.next())
}

func record(_ id: String, _ secrets: Digest256..., subject: String? = nil) -> APIKeyConfiguration {
    APIKeyConfiguration(
        id: id, subject: subject ?? id,
        secrets: secrets.map { .init(digest: $0, notBefore: nil, expiresAt: nil) },
        position: SourcePosition(line: 1, column: 1))
}

extension APIKeyTable {
    func id(of record: Record) -> String {
        var bytes: [UInt8] = []
        appendID(of: record, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    func subject(of record: Record) -> String {
        var bytes: [UInt8] = []
        appendSubject(of: record, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Reads a keys file whole, or in pieces of `pieceLength` bytes.
func readKeysFile(
    _ text: String, pieceLength: Int = .max, member: APIKeyRecordParser.DigestMember = .sha256
) throws -> APIKeyTable {
    var builder = APIKeyTable.Builder(seed: sampleSeed)
    var file = KeysFile(digestMember: member)
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
        let end = start + min(pieceLength, bytes.count - start)
        try file.feed(bytes.span.extracting(start..<end), into: &builder)
        start = end
    }
    try file.finish(into: &builder)
    return try builder.build()
}
