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

    @Test func `the first byte that no value holds is found whatever stands around it`() {
        for fill: UInt8 in [0x20, 0x21, 0x7E, 0x80, 0xFF, 0x09] {
            for length in 0..<20 {
                for position in 0..<length {
                    for byte in UInt8.min...UInt8.max {
                        var bytes = [UInt8](repeating: fill, count: length)
                        bytes[position] = byte
                        let isValueByte = byte == 0x09 || byte >= 0x20 && byte != 0x7F
                        let found = bytes.span.firstIndexOutsideFieldValue(from: 0)
                        if found != (isValueByte ? length : position) { Issue.record("\(bytes)") }
                    }
                }
            }
        }
    }
}
