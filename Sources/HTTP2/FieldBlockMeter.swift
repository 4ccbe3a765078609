/// What the field blocks of a peer cost, in points of its `GlitchScore`.
///
/// A reference to a table of fields is one byte and is decoded to four thousand, so the price follows what was decoded, and
/// where nothing is reported of a block (the library decodes the blocks it ignores too, to keep its table), the bytes received.
/// What a head is allowed to be costs nothing unless it is refused.
struct FieldBlockMeter {
    /// Decoded bytes for one point. They take the library and us 4 µs at most, so what is forgiven to a client in a second,
    /// 660 points, is a few thousandths of a core.
    static let decodedBytesPerPoint = 2048
    /// Bytes of a block received for one point, where nothing is reported of it, or beyond what a head may be.
    static let receivedBytesPerPoint = 512

    /// What a byte costs where the library may pass over fields that are large when decoded, beyond the first
    /// `silentFreeBytes`: it does so with `content-length` in a 2xx answer to CONNECT.
    static let silentPointsPerByte = 2
    static let silentFreeBytes = 1024

    /// Names and values, and 32 for each field, as SETTINGS_MAX_HEADER_LIST_SIZE counts them (RFC 9113 §6.5.2).
    private(set) var decodedBytes = 0
    /// The library reports the fields of the block.
    private var isHeard = false
    private var mayBeSilent = false
    /// How much of the block may be decoded, or received, without charge.
    private var allowance = 0
    private var paidBytes = 0
    private var receivedBytes = 0
    /// Bytes received and not yet paid for, since the block may still be heard.
    private var unheardBytes = 0

    /// A block begins with a frame of `length` bytes. `allowance` is how large a head may be; `mayBeSilent` where fields of it
    /// may not be reported.
    mutating func begin(_ length: Int, allowance: Int, mayBeSilent: Bool = false) -> Int64 {
        let due = settle()
        self = FieldBlockMeter()
        self.mayBeSilent = mayBeSilent
        self.allowance = allowance
        paidBytes = allowance
        unheardBytes = length
        return due
    }

    /// The block goes on with a frame of `length` bytes.
    mutating func goOn(_ length: Int) -> Int64 {
        guard isHeard else {
            let due = settle()
            unheardBytes = length
            return due
        }
        return receive(length)
    }

    /// The library reports the fields of the block from here on.
    mutating func hear() -> Int64 {
        guard !isHeard else { return 0 }
        isHeard = true
        let length = unheardBytes
        unheardBytes = 0
        return receive(length)
    }

    /// The library found the block wrong: it decodes the rest without a word.
    mutating func ignoreRest() { isHeard = false }

    /// A field was decoded, valid or not.
    mutating func decode(nameBytes: Int, valueBytes: Int) -> Int64 {
        decodedBytes &+= nameBytes &+ valueBytes &+ 32
        let points = (decodedBytes &- paidBytes) / Self.decodedBytesPerPoint
        guard points > 0 else { return 0 }
        paidBytes &+= points &* Self.decodedBytesPerPoint
        return Int64(points)
    }

    /// The block is refused: it is paid for from its first byte.
    func refuse() -> Int64 { Int64(Swift.min(decodedBytes, allowance) / Self.decodedBytesPerPoint) }

    /// The price of a block of which nothing was reported so far.
    mutating func settle() -> Int64 {
        guard unheardBytes > 0 else { return 0 }
        let points = unheardBytes / Self.receivedBytesPerPoint &+ 1
        unheardBytes = 0
        return Int64(points)
    }

    private mutating func receive(_ length: Int) -> Int64 {
        let before = receivedBytes
        receivedBytes &+= length
        var points = excess(receivedBytes, allowance) / Self.receivedBytesPerPoint
            &- excess(before, allowance) / Self.receivedBytesPerPoint
        if mayBeSilent {
            let silent = excess(receivedBytes, Self.silentFreeBytes) &- excess(before, Self.silentFreeBytes)
            points &+= silent &* Self.silentPointsPerByte
        }
        return Int64(points)
    }

    private func excess(_ bytes: Int, _ free: Int) -> Int { Swift.max(0, bytes &- free) }
}
