import Core
import Testing

struct CIDRBlockTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/32", "1.2.3.4/32"),
        ("1.2.3.4", "1.2.3.4/32"),
        ("::/0", "::/0"), ("2001:db8::/32", "2001:db8::/32"), ("::1", "::1/128"),
        ("2001:DB8:0::8000:0/97", "2001:db8::8000:0/97"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
    ])
    func `a block is read`(text: String, canonical: String) throws {
        #expect(try CIDRBlock.parse(text).description == canonical)
        #expect(CIDRBlock(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/00", "10.0.0.0/8/8",
        "10.0.0.0 /8",
        "10.0.0.0/8 ", "10.0.0.0/0x8", "10.0.0.0/255.0.0.0", "::/129", "::/999", "::/1000", "10.0.0/8", "*",
        "example.com/8",
    ])
    func `a malformed block is refused`(text: String) {
        #expect(throws: CIDRError.malformed) { try CIDRBlock.parse(text) }
        #expect(CIDRBlock(text) == nil)
    }

    @Test(arguments: [
        ("10.1.2.3/8", "10.0.0.0/8"), ("10.0.0.1/0", "0.0.0.0/0"), ("1.2.3.5/31", "1.2.3.4/31"),
        ("2001:db8::1/32", "2001:db8::/32"), ("::1/0", "::/0"), ("::3/127", "::2/127"),
    ])
    func `host bits are refused and the block that was meant is named`(text: String, network: String) throws {
        let meant = try CIDRBlock.parse(network)
        #expect(throws: CIDRError.hostBitsSet(network: meant)) { try CIDRBlock.parse(text) }
        #expect(CIDRError.hostBitsSet(network: meant).message.contains("\"\(network)\""))
    }

    @Test(arguments: [
        ("10.1.2.3/8", "10.0.0.0/8"), ("10.0.0.1/0", "0.0.0.0/0"), ("212.40.50.1/24", "212.40.50.0/24"), ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"), ("2001:db8::1/32", "2001:db8::/32"), ("::3/127", "::2/127"),
    ])
    func `where a network is meant, bits beyond the prefix are passed over`(text: String, network: String) throws {
        #expect(try CIDRBlock.network(text) == CIDRBlock.parse(network))
    }

    @Test(arguments: ["", "10.0.0.1/33", "10.0.0/8", "10.0.0.1/08", "10.0.0.1/24 ", "::ffff:10.0.0.1/104", "x/8"])
    func `and nothing else is`(text: String) {
        #expect(throws: CIDRError.self) { try CIDRBlock.network(text) }
    }

    @Test(arguments: [
        "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:10.0.0.1/128", "::ffff:10.0.0.1/32", "::ffff:a00:1/8",
    ])
    func `a prefix over mapped addresses is refused`(text: String) {
        #expect(throws: CIDRError.mappedPrefix) { try CIDRBlock.parse(text) }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "9.255.255.255", false),
        ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false), ("::/0", "203.0.113.9", false),
        ("1.2.3.4/31", "1.2.3.5", true), ("1.2.3.4/31", "1.2.3.6", false), ("10.0.0.0/8", "::a00:1", false),
        ("10.0.0.0/8", "::ffff:10.9.9.9", true), ("2001:db8::/63", "2001:db8:0:1::", true),
        ("2001:db8::/63", "2001:db8:0:2::", false), ("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff", true),
        ("2001:db8::/65", "2001:db8:0:0:8000::", false), ("::1", "::1", true), ("::1", "::2", false),
    ])
    func `a block contains its addresses and no other`(block: String, address: String, isInside: Bool) throws {
        let address = try #require(IPAddress(address))
        let block = try CIDRBlock.parse(block)
        #expect(block.contains(address) == isInside)
        #expect(AddressSet([block]).contains(address) == isInside)
    }

    @Test func `a block made with bits beyond its prefix or a length out of range contains nothing it should not`() {
        let address = IPAddress(v4: 0x0A01_0203)
        for length in [-1, 8, 33, .max, .min] {
            let block = CIDRBlock(network: address, prefixLength: length)
            #expect(block.contains(address) == (length > 32))
            #expect(!block.contains(IPAddress(v4: 0x0A01_0204)))
            #expect(AddressSet([block]).contains(address) == (length > 32))
        }
    }
}
