/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct CIDRBlock: Hashable, Sendable {
    package let network: IPAddress
    /// 0…32 for IPv4, 0…128 for IPv6.
    package let prefixLength: Int

    /// A block as it is: bits of `network` beyond the prefix make it contain nothing.
    package init(network: IPAddress, prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }

    /// Reads what `parse` reads; nil where that throws.
    package init?(_ text: String) {
        guard let block = try? Self.parse(text) else { return nil }
        self = block
    }

    /// Reads an address in the syntax of `IPAddress`, alone (then it is a block of one) or followed by "/" and the
    /// length of the prefix in decimal digits without leading zeros.
    package static func parse(_ text: String) throws(CIDRError) -> CIDRBlock {
        try parse(text.utf8.span)
    }

    package static func parse(_ text: Span<UInt8>) throws(CIDRError) -> CIDRBlock {
        guard let slash = text.firstIndex(of: 0x2F) else {
            guard let address = IPAddress(text) else { throw .malformed }
            return CIDRBlock(network: address, prefixLength: address.bitWidth)
        }
        let spelled = text.extracting(0..<slash)
        guard let address = IPAddress(spelled), let length = prefixLength(text.extracting(slash &+ 1..<text.count))
        else {
            throw .malformed
        }
        if address.family == .v4, spelled.firstIndex(of: 0x3A) != nil { throw .mappedPrefix }
        guard length <= address.bitWidth else { throw .malformed }
        let network = address.masked(toPrefix: length)
        let block = CIDRBlock(network: network, prefixLength: length)
        guard network == address else { throw .hostBitsSet(network: block) }
        return block
    }

    /// An IPv4 block contains IPv4 addresses only, an IPv6 block IPv6 addresses only: `::/0` does not contain
    /// 127.0.0.1.
    package func contains(_ address: IPAddress) -> Bool {
        address.family == network.family && address.masked(toPrefix: prefixLength) == network
    }

    /// Reads the same, and an address with bits beyond its prefix as the network that it is in: `212.40.50.1/24` is
    /// `212.40.50.0/24`.
    package static func network(_ text: String) throws(CIDRError) -> CIDRBlock {
        do throws(CIDRError) { return try parse(text) } catch {
            switch error {
            case .hostBitsSet(let network): return network
            case .malformed, .mappedPrefix: throw error
            }
        }
    }

    private static func prefixLength(_ digits: Span<UInt8>) -> Int? {
        guard 1...3 ~= digits.count, digits.count == 1 || digits[0] != 0x30 else { return nil }
        var length = 0
        for index in digits.indices {
            guard digits[index].isDigit else { return nil }
            length = length &* 10 &+ Int(digits[index] &- 0x30)
        }
        return length
    }
}

extension CIDRBlock: CustomStringConvertible {
    /// `10.0.0.0/8`, with the prefix length even for a single address.
    package var description: String { "\(network)/\(prefixLength)" }
}

extension IPAddress {
    /// Bits of an address of this family: 32 or 128.
    package var bitWidth: Int { family == .v4 ? 32 : 128 }

    /// How many bits a prefix leaves to the hosts; a length out of range counts as the nearest one in range.
    func hostBits(beyondPrefix length: Int) -> Int {
        bitWidth &- min(max(length, 0), bitWidth)
    }

    /// The address with all bits beyond the prefix cleared.
    package func masked(toPrefix length: Int) -> IPAddress {
        let hostBits = hostBits(beyondPrefix: length)
        switch family {
        case .v4: return IPAddress(v4: (UInt32(truncatingIfNeeded: low) >> hostBits) << hostBits)
        case .v6:
            let kept = (bits >> hostBits) << hostBits
            return IPAddress(high: UInt64(truncatingIfNeeded: kept >> 64), low: UInt64(truncatingIfNeeded: kept))
        }
    }
}
