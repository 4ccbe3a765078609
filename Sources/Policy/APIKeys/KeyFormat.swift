import Core

/// How the keys that an authenticator makes look: text and random characters, as in `ks_{base62:22}-{hex:32}`.
package struct KeyFormat: Sendable, Equatable {
    /// The characters a random part is drawn from.
    package enum Alphabet: String, Sendable, CaseIterable {
        case base62, hex
        case base64url

        /// In the order of their values.
        package var characters: [UInt8] {
            switch self {
            case .base62: Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
            case .hex: Array("0123456789abcdef".utf8)
            case .base64url: Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
            }
        }

        /// Random bits of one character, rounded down to hundredths.
        fileprivate var centibits: Int {
            switch self {
            case .base62: 595
            case .hex: 400
            case .base64url: 600
            }
        }
    }

    package enum Part: Sendable, Equatable {
        case literal(String)
        case random(Alphabet, count: Int)
    }

    package enum Fault: Error, Equatable, Sendable {
        /// A brace without its partner, an unknown alphabet, or a count that is none.
        case malformed
        /// Text that could not stand in a header field without escapes.
        case characterNotAllowed
        /// Fewer random bits than `minimumBits`.
        case guessable
        /// More than `byteLimit` characters.
        case tooLong

        /// One line, for diagnostics.
        package var message: String {
            switch self {
            case .malformed: "is no format of keys; write text and parts such as {base62:22}, {hex:32} and {base64url:43}"
            case .characterNotAllowed: "has a character that keys have not: letters, digits, \"-\", \".\", \"_\", \"~\" are allowed"
            case .guessable: "makes keys that could be guessed; their random parts need \(KeyFormat.minimumBits) bits"
            case .tooLong: "makes keys longer than \(KeyFormat.byteLimit) characters"
            }
        }
    }

    /// Fewer random bits could be guessed in time.
    package static let minimumBits = 128
    /// Longer keys are not taken where they are shown.
    package static let byteLimit = 512
    /// Of an authenticator that says nothing of it.
    package static let standard = KeyFormat(parts: [.random(.base62, count: 32)])

    package let parts: [Part]

    private init(parts: [Part]) { self.parts = parts }

    package init(_ text: String) throws(Fault) {
        var parts: [Part] = []
        var rest = text[...]
        while let brace = rest.firstIndex(of: "{") {
            if brace > rest.startIndex { parts.append(.literal(String(rest[..<brace]))) }
            guard let end = rest[brace...].firstIndex(of: "}") else { throw .malformed }
            parts.append(try Self.random(rest[rest.index(after: brace)..<end]))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        var count = 0
        var centibits = 0
        for part in parts {
            switch part {
            case .literal(let text):
                let isPlain = text.utf8.allSatisfy { $0.isLetterOrDigit || [0x2D, 0x2E, 0x5F, 0x7E].contains($0) }
                guard isPlain else { throw text.contains("}") ? .malformed : .characterNotAllowed }
                count += text.utf8.count
            case .random(let alphabet, let characters):
                count += characters
                centibits += alphabet.centibits * characters
            }
        }
        guard count <= Self.byteLimit else { throw .tooLong }
        guard centibits >= Self.minimumBits * 100 else { throw .guessable }
        self.parts = parts
    }

    private static func random(_ text: Substring) throws(Fault) -> Part {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count == 2, let alphabet = Alphabet(rawValue: String(halves[0])), halves[1].utf8.allSatisfy(\.isDigit),
            let count = Int(halves[1]), (1...byteLimit).contains(count)
        else { throw .malformed }
        return .random(alphabet, count: count)
    }

    /// A new key. Every character of a random part is drawn evenly.
    /// - Parameter word: 64 bits from a cryptographic source, new ones at each call.
    package func makeKey(_ word: () -> UInt64) -> [UInt8] {
        var key: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let text): key.append(contentsOf: text.utf8)
            case .random(let alphabet, let count):
                let characters = alphabet.characters
                for _ in 0..<count {
                    // The high word of the product is even to 2^-58, far beyond what anybody could tell.
                    let index = word().multipliedFullWidth(by: UInt64(characters.count)).high
                    key.append(characters[Int(truncatingIfNeeded: index)])
                }
            }
        }
        return key
    }
}
