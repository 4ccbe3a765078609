/// Frames written by hand, right or wrong (RFC 9113 §4.1, §6), and the few literal forms of RFC 7541 §6.2 they need.
enum Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let settings = frame(.settings, stream: 0)
    static let settingsAck = frame(.settings, flags: 1, stream: 0)
    /// What a client sends before its first request.
    static let opening = preface + settings + settingsAck

    enum Kind: UInt8 {
        case content = 0
        case headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
        case altSvc = 0x0A
        case priorityUpdate = 0x10
        case grease = 0x4B
    }

    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    static func frame(_ kind: Kind, flags: UInt8 = 0, stream: Int32, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(truncatingIfNeeded: count >> 16), UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
            + [kind.rawValue, flags] + bytes(UInt32(bitPattern: stream)) + payload
    }

    static func bytes(_ word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }

    /// HEADERS with one whole block.
    static func headers(_ fields: [(String, String)], stream: Int32 = 1, ends: Bool = true) -> [UInt8] {
        frame(.headers, flags: endHeaders | (ends ? endStream : 0), stream: stream, block(fields))
    }

    static func content(_ bytes: [UInt8], stream: Int32 = 1, ends: Bool = false) -> [UInt8] {
        frame(.content, flags: ends ? endStream : 0, stream: stream, bytes)
    }

    static func reset(_ stream: Int32, code: UInt32 = 8) -> [UInt8] { frame(.reset, stream: stream, bytes(code)) }
    static func windowUpdate(_ stream: Int32, _ increment: UInt32) -> [UInt8] {
        frame(.windowUpdate, stream: stream, bytes(increment))
    }
    static func settings(_ entries: [(UInt16, UInt32)]) -> [UInt8] {
        frame(
            .settings, stream: 0,
            entries.flatMap { [UInt8(truncatingIfNeeded: $0.0 >> 8), UInt8(truncatingIfNeeded: $0.0)] + bytes($0.1) })
    }
    static func goAway(last: UInt32, code: UInt32 = 0) -> [UInt8] {
        frame(.goAway, stream: 0, bytes(last) + bytes(code))
    }

    /// Literal fields that enter no table. Names and values are Latin-1, so that any byte can be said.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0x00] + string(latin1($0.0)) + string(latin1($0.1)) }
    }

    /// A literal that enters the dynamic table, where it has index 62 until the next one.
    static func indexed(_ name: String, _ value: String) -> [UInt8] {
        [0x40] + string(latin1(name)) + string(latin1(value))
    }

    static func latin1(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func string(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    /// The pseudo-fields of a GET, which cases vary.
    static let get = [(":method", "GET"), (":scheme", "https"), (":path", "/x"), (":authority", "h.test")]
    static let post = [(":method", "POST"), (":scheme", "https"), (":path", "/x"), (":authority", "h.test")]
}

/// A frame as it was written by a session.
struct WrittenFrame: Equatable {
    var kind: UInt8
    var flags: UInt8
    var stream: Int32
    var payload: [UInt8]

    /// The first four bytes of the payload from `offset` on.
    func word(at offset: Int = 0) -> UInt32 {
        guard payload.count >= offset + 4 else { return .max }
        return payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func all(in bytes: [UInt8]) -> [WrittenFrame] {
        var frames: [WrittenFrame] = []
        var index = 0
        if bytes.starts(with: Frames.preface) { index = Frames.preface.count }
        while index + 9 <= bytes.count {
            let count = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            let stream = bytes[index + 5..<index + 9].reduce(0) { $0 << 8 | UInt32($1) }
            guard index + 9 + count <= bytes.count else { break }
            frames.append(
                WrittenFrame(
                    kind: bytes[index + 3], flags: bytes[index + 4], stream: Int32(bitPattern: stream),
                    payload: Array(bytes[index + 9..<index + 9 + count])))
            index += 9 + count
        }
        return frames
    }
}

extension Sequence<WrittenFrame> {
    func only(_ kind: Frames.Kind) -> [WrittenFrame] { filter { $0.kind == kind.rawValue } }
    /// Codes of the RST_STREAM frames for a stream.
    func resets(_ stream: Int32) -> [UInt32] { only(.reset).filter { $0.stream == stream }.map { $0.word() } }
    /// Codes of the GOAWAY frames.
    var goAways: [UInt32] { only(.goAway).map { $0.word(at: 4) } }
}
