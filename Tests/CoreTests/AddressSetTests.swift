import Core
import Testing

struct AddressSetTests {
    private func set(_ texts: String...) throws -> AddressSet {
        AddressSet(try texts.map { text in try CIDRBlock.parse(text) })
    }

    @Test func `the empty set contains nothing`() throws {
        let empty = AddressSet([])
        #expect(empty.isEmpty)
        #expect(!empty.coversEverything)
        #expect(!empty.contains(IPAddress(v4: 0)))
        #expect(!empty.contains(IPAddress(high: 0, low: 1)))
        #expect(!(try set("::1").isEmpty))
    }

    @Test(arguments: [
        ["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["8000::/1", "::/1"], ["10.0.0.0/8", "0.0.0.0/0"],
        ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2", "::1"],
    ])
    func `a set that lets a whole family in covers everything`(blocks: [String]) throws {
        #expect(AddressSet(try blocks.map { text in try CIDRBlock.parse(text) }).coversEverything)
    }

    @Test(arguments: [["0.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/2"], ["::/1", "128.0.0.0/1", "0.0.0.0/2"], ["::/1"]])
    func `a set with a gap does not`(blocks: [String]) throws {
        #expect(!AddressSet(try blocks.map { text in try CIDRBlock.parse(text) }).coversEverything)
    }

    @Test func `sets of the same addresses are equal however they were made`() throws {
        #expect(try set("10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16") == set("10.0.0.0/8"))
        #expect(try set("::2", "::1", "::3", "::0") == set("::/126"))
        #expect(try set("255.255.255.255", "255.255.255.254") == set("255.255.255.254/31"))
    }

    @Test func `a random set contains what one of its blocks contains`() {
        var generator = SplitMix(state: 11)
        for _ in 0..<60 {
            let blocks = (0..<Int.random(in: 1..<40, using: &generator)).map { _ in Self.anyBlock(&generator) }
            let set = AddressSet(blocks)
            for block in blocks {
                let inside = block.network
                let beside = [
                    IPAddress(v4: UInt32(truncatingIfNeeded: inside.low &- 1)), Self.anyBlock(&generator).network,
                    IPAddress(high: inside.high, low: inside.low &+ 1),
                    IPAddress(high: inside.high, low: inside.low &- 1),
                ]
                #expect(set.contains(inside))
                for address in beside {
                    #expect(set.contains(address) == blocks.contains { $0.contains(address) })
                }
            }
        }
    }

    private static func anyBlock(_ generator: inout SplitMix) -> CIDRBlock {
        // From a small space, so that blocks touch and overlap.
        if Bool.random(using: &generator) {
            let length = Int.random(in: 20...32, using: &generator)
            let address = IPAddress(v4: 0x0A00_0000 | UInt32.random(in: 0..<8192, using: &generator))
            return CIDRBlock(network: address.masked(toPrefix: length), prefixLength: length)
        }
        let length = Int.random(in: 56...128, using: &generator)
        let address = IPAddress(
            high: .random(in: 0x2001...0x20FF, using: &generator), low: .random(in: 0..<16, using: &generator))
        return CIDRBlock(network: address.masked(toPrefix: length), prefixLength: length)
    }

    @Test(arguments: [
        ([], 0), (["10.0.0.1"], 1), (["10.0.0.0/18"], 16_384), (["10.0.0.0/24", "10.0.0.128/25", "10.0.0.7"], 256),
        (["0.0.0.0/0"], 4_294_967_296), (["2001:db8::1", "2001:db8::2", "2001:db8::/96"], 1), (["2001:db8::/56"], 256),
        (["2001:db8::1", "2001:db8:0:1::1", "10.0.0.1"], 3), (["::/0"], .max),
    ] as [([String], UInt64)])
    func `addresses are counted as limits count them`(blocks: [String], count: UInt64) {
        #expect(AddressSet(blocks.compactMap { CIDRBlock($0) }).accountableCount == count)
    }

    @Test(arguments: [
        ([], ["10.0.0.0/8"], true), (["10.1.0.0/16"], ["10.0.0.0/8"], true), (["10.0.0.0/8"], ["10.1.0.0/16"], false),
        (["10.0.0.0/24"], ["10.0.0.0/25", "10.0.0.128/25"], true), (["10.0.0.0/23"], ["10.0.0.0/24", "10.0.2.0/24"], false),
        (["::1"], ["0.0.0.0/0"], false), (["::1", "10.0.0.1"], ["::/64", "10.0.0.0/30"], true), (["10.0.0.1"], [], false),
    ] as [([String], [String], Bool)])
    func `a set lies within another one`(blocks: [String], others: [String], isSubset: Bool) {
        let (one, other) = (AddressSet(blocks.compactMap { CIDRBlock($0) }), AddressSet(others.compactMap { CIDRBlock($0) }))
        #expect(one.isSubset(of: other) == isSubset)
    }

    @Test(arguments: [
        ([], []), (["10.0.0.0/8"], ["10.0.0.0/8"]), (["10.0.0.1", "10.0.0.2"], ["10.0.0.1/32", "10.0.0.2/32"]),
        (["10.0.0.0/31", "10.0.0.2/31", "10.0.0.4"], ["10.0.0.0/30", "10.0.0.4/32"]), (["0.0.0.0/0", "::/0"], ["0.0.0.0/0", "::/0"]),
        (["255.255.255.255", "2001:db8::/127", "2001:db8::2"], ["255.255.255.255/32", "2001:db8::/127", "2001:db8::2/128"]),
    ] as [([String], [String])])
    func `a set is told in the fewest blocks`(blocks: [String], expected: [String]) {
        let set = AddressSet(blocks.compactMap { CIDRBlock($0) })
        #expect(set.blocks.map(\.description) == expected)
        #expect(AddressSet(set.blocks) == set)
    }

    @Test(arguments: [
        (["10.0.0.0/8"], ["10.1.0.0/16", "::/0"], ["10.1.0.0/16"]), (["10.0.0.0/8"], ["192.0.2.0/24"], []),
        (["10.0.0.0/24", "::1"], ["10.0.0.128/25", "10.0.1.0/24", "::/64"], ["10.0.0.128/25", "::1"]),
    ] as [([String], [String], [String])])
    func `what two sets have in common`(blocks: [String], others: [String], common: [String]) {
        let (one, other) = (AddressSet(blocks.compactMap { CIDRBlock($0) }), AddressSet(others.compactMap { CIDRBlock($0) }))
        #expect(one.intersection(other) == AddressSet(common.compactMap { CIDRBlock($0) }))
        #expect(other.intersection(one) == one.intersection(other))
    }
}
