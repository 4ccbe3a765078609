import Core

/// The headers of the last few tokens, taken apart: an issuer writes the same one into every token. Belongs to one
/// loop.
final class HeaderCache {
    private struct Entry {
        var text: [UInt8]
        var header: TokenHeader
    }

    static let entryLimit = 8
    /// Longer ones are read anew each time.
    static let textBytes = 512

    private var entries: [Entry] = []
    /// The place the next new header takes.
    private var next = 0

    /// The header that a token's first part spells.
    func header(_ text: Span<UInt8>) throws(TokenFault) -> TokenHeader {
        for entry in entries {
            let known = entry.text
            if known.span.equals(text) { return entry.header }
        }
        let header = try TokenHeader(base64URL: text)
        guard text.count <= Self.textBytes else { return header }
        let entry = Entry(text: text.copied(), header: header)
        if entries.count < Self.entryLimit {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next &+ 1) % Self.entryLimit
        }
        return header
    }
}
