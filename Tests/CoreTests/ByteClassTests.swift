import Testing

@testable import Core

@Suite struct ByteClassTests {
    static let letters = Set((0x41...0x5A).map { UInt8($0) } + (0x61...0x7A).map { UInt8($0) })
    static let digits = Set((0x30...0x39).map { UInt8($0) })

    @Test func `the classes hold what the grammar lists`() {
        let token = Self.letters.union(Self.digits).union("!#$%&'*+-.^_`|~".utf8)
        let path = Self.letters.union(Self.digits).union("-._~!$&'()*+,;=:@/%".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(ByteClass.token.contains(byte) == token.contains(byte), "\(byte)")
            #expect(ByteClass.path.contains(byte) == path.contains(byte), "\(byte)")
        }
    }

    /// The ends of every range that a class is made of, and what stands right beside them.
    static let edges: [UInt8] =
        [0x00, 0x08, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0xAD, 0xFF] + Array("!\"#$%&'*+,-./09:;@AZ[\\]^_`az{|}~".utf8)

    /// What a search finds is what looking at one byte after the other finds: at each length, from each start, wherever
    /// in memory the bytes lie, with each of `edges` at each position among members.
    static func check(_ search: (Span<UInt8>, Int) -> Int, members: [UInt8], _ isMember: (UInt8) -> Bool) {
        func slow(_ bytes: [UInt8], from start: Int) -> Int {
            var index = start
            while index < bytes.count, isMember(bytes[index]) { index += 1 }
            return index
        }
        var generator = SplitMix(state: 3)
        for length in 0..<20 {
            for position in 0..<max(length, 1) {
                for byte in edges {
                    var bytes = (0..<length).map { _ in members.randomElement(using: &generator) ?? 0 }
                    if length > 0 { bytes[position] = byte }
                    let start = Int.random(in: 0...position, using: &generator)
                    let offset = Int.random(in: 0..<8, using: &generator)
                    let placed = [UInt8](repeating: 0x61, count: offset) + bytes + [UInt8](repeating: 0x61, count: 9)
                    let found = search(placed.span.extracting(offset..<offset + length), start)
                    if found != slow(bytes, from: start) { Issue.record("\(bytes) from \(start): \(found)") }
                }
            }
        }
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if search(bytes.span, 0) != slow(bytes, from: 0) { Issue.record("\(bytes)") }
        }
    }

    static let ascii = (UInt8(0)...0x7F).map { $0 }

    @Test func `the end of a token is found whatever stands around it`() {
        let members = Self.ascii.filter { ByteClass.token.contains($0) }
        Self.check({ $0.firstIndexOutsideToken(from: $1) }, members: members) { ByteClass.token.contains($0) }
    }

    @Test func `the end of a target is found whatever stands around it`() {
        let isMember = { (byte: UInt8) in byte > 0x20 && byte < 0x7F && byte != 0x23 }
        Self.check({ $0.firstIndexOutsideTarget(from: $1) }, members: Self.ascii.filter(isMember), isMember)
    }

    @Test func `the end of what a path holds plainly is found whatever stands around it`() {
        let isMember = { (byte: UInt8) in ByteClass.path.contains(byte) && byte != 0x25 }
        Self.check({ $0.firstIndexOutsidePlainPath(from: $1) }, members: Self.ascii.filter(isMember), isMember)
    }

    @Test func `the end of a value is found whatever stands around it`() {
        let isMember = { (byte: UInt8) in byte == 0x09 || byte >= 0x20 && byte != 0x7F }
        let members = (UInt8.min...UInt8.max).filter(isMember)
        Self.check({ $0.firstIndexOutsideFieldValue(from: $1) }, members: members, isMember)
    }

    @Test func `a byte is found where it first stands`() {
        for wanted: UInt8 in [0x00, 0x2C, 0x3A, 0xFF] {
            let others = (UInt8.min...UInt8.max).filter { $0 != wanted }
            Self.check({ $0.firstIndex(of: wanted, from: $1) ?? $0.count }, members: others) { $0 != wanted }
        }
    }
}
