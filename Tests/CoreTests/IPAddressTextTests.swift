import Core
import Testing

struct IPAddressTextTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("10.0.200.3", "10.0.200.3"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("0:0:1::", "0:0:1::"),
        ("::ffff:10.0.0.1", "10.0.0.1"), ("::FFFF:a00:1", "10.0.0.1"), ("::10.0.0.1", "::a00:1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:255.255.255.255", "1:2:3:4:5:6:ffff:ffff"),
        ("fe80::1:0", "fe80::1:0"),
        ("abcd:ef01:2345:6789:abcd:ef01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
    ])
    func `an address is read and written in its one form`(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
        #expect(IPAddress(canonical) == IPAddress(text))
    }

    @Test(arguments: [
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3.4", "1..2.3", "256.1.1.1", "1.2.3.256", "01.2.3.4",
        "1.2.3.00",
        "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\0", "0x1.2.3.4", "1.2.3.-4", "1,2.3.4", "1.2.3.4a", "1234.1.1.1", "4294967295",
        ":", ":::", "::1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8:", ":1", "1:", "12345::", "::g", "::1%eth0", "[::1]",
        "::1/128",
        "::1.2.3", "::1.2.3.4.5", "1.2.3.4::", "::1.2.3.4:1", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "::256.0.0.1",
        ":: 1",
        "::ffff:1.2.3.4%1", "0000:0000:0000:0000:0000:0000:0000:00001", "::1\n", "１.2.3.4", "1::2:",
    ])
    func `anything else is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `random addresses survive being written and read`() {
        var generator = SplitMix(state: 3)
        for round in 0..<3000 {
            // Half of the groups zero, so that every pattern of runs turns up.
            var words: [UInt64] = [0, 0]
            for index in 0..<8 where Bool.random(using: &generator) {
                words[index / 4] |= UInt64(UInt16.random(in: 0 ... .max, using: &generator)) << UInt64(index % 4 * 16)
            }
            let address =
                round % 5 == 0
                ? IPAddress(v4: UInt32(truncatingIfNeeded: words[0] >> 3)) : IPAddress(high: words[0], low: words[1])
            #expect(IPAddress(address.description) == address)
        }
    }

    @Test func `no bytes trap`() {
        var generator = SplitMix(state: 4)
        let alphabet = Array("0123456789abcdef:.:.::%[]/".utf8)
        var valid = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            guard let address = IPAddress(text.span) else { continue }
            valid += 1
            #expect(IPAddress(address.description) == address)
        }
        #expect(valid > 0)
    }
}
