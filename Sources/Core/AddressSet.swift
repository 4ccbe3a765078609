/// An immutable set of addresses made of blocks. Adjacent and overlapping blocks are merged, so that a lookup is one
/// binary search, O(log n), without allocation.
package struct AddressSet: Hashable, Sendable {
    /// Sorted, disjoint, not adjacent.
    private let v4: [ClosedRange<UInt32>]
    private let v6: [ClosedRange<UInt128>]

    /// The set of all addresses that one of the blocks contains; no blocks, no addresses. O(n log n).
    package init(_ blocks: [CIDRBlock]) {
        var v4: [ClosedRange<UInt32>] = []
        var v6: [ClosedRange<UInt128>] = []
        for block in blocks {
            let hostBits = block.network.hostBits(beyondPrefix: block.prefixLength)
            let network = block.network.masked(toPrefix: block.prefixLength)
            guard network == block.network else { continue }
            switch network.family {
            case .v4:
                let first = UInt32(truncatingIfNeeded: network.low)
                v4.append(first...(first | ~(UInt32.max << hostBits)))
            case .v6: v6.append(network.bits...(network.bits | ~(UInt128.max << hostBits)))
            }
        }
        self.v4 = Self.merged(v4)
        self.v6 = Self.merged(v6)
    }

    package var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

    /// The set has all of IPv4 or all of IPv6 in it, in one block or in several.
    package var coversEverything: Bool { v4.first == 0...UInt32.max || v6.first == 0...UInt128.max }

    package func contains(_ address: IPAddress) -> Bool {
        switch address.family {
        case .v4: Self.contains(UInt32(truncatingIfNeeded: address.low), in: v4)
        case .v6: Self.contains(address.bits, in: v6)
        }
    }

    /// How many addresses it has, as limits count them: each of IPv4, and each /64 network of IPv6 that it has a part of.
    /// `.max` where that does not fit.
    package var accountableCount: UInt64 {
        var count: UInt128 = 0
        for range in v4 { count += UInt128(range.upperBound - range.lowerBound) + 1 }
        var counted: UInt128?
        for range in v6 {
            let (first, last) = (range.lowerBound >> 64, range.upperBound >> 64)
            count += last - first + (first == counted ? 0 : 1)
            counted = last
        }
        return UInt64(clamping: count)
    }

    /// Every address of it is in the other one too.
    package func isSubset(of other: AddressSet) -> Bool {
        Self.isSubset(v4, of: other.v4) && Self.isSubset(v6, of: other.v6)
    }

    /// The addresses that are in both.
    package func intersection(_ other: AddressSet) -> AddressSet {
        AddressSet(v4: Self.intersection(v4, other.v4), v6: Self.intersection(v6, other.v6))
    }

    /// The fewest blocks that make up the set, in order.
    package var blocks: [CIDRBlock] {
        let v4 = v4.flatMap { Self.blocks(of: $0) }.map { first, hostBits in
            CIDRBlock(network: IPAddress(v4: first), prefixLength: 32 &- hostBits)
        }
        let v6 = v6.flatMap { Self.blocks(of: $0) }.map { first, hostBits in
            let network = IPAddress(high: UInt64(truncatingIfNeeded: first >> 64), low: UInt64(truncatingIfNeeded: first))
            return CIDRBlock(network: network, prefixLength: 128 &- hostBits)
        }
        return v4 + v6
    }

    private init(v4: [ClosedRange<UInt32>], v6: [ClosedRange<UInt128>]) {
        self.v4 = v4
        self.v6 = v6
    }

    private static func intersection<Bits: FixedWidthInteger>(
        _ ranges: [ClosedRange<Bits>], _ others: [ClosedRange<Bits>]
    ) -> [ClosedRange<Bits>] {
        ranges.flatMap { range in others.filter { $0.overlaps(range) }.map { $0.clamped(to: range) } }
    }

    private static func blocks<Bits: FixedWidthInteger & UnsignedInteger>(
        of range: ClosedRange<Bits>
    ) -> [(first: Bits, hostBits: Int)] {
        var blocks: [(first: Bits, hostBits: Int)] = []
        var first = range.lowerBound
        while true {
            // The largest block that may begin here and does not go beyond the range.
            var hostBits = first.trailingZeroBitCount
            while hostBits > 0, ~(Bits.max << hostBits) > range.upperBound &- first { hostBits &-= 1 }
            blocks.append((first, hostBits))
            let last = first | ~(Bits.max << hostBits)
            if last == range.upperBound { return blocks }
            first = last &+ 1
        }
    }

    /// Ranges that are disjoint and not adjacent: one lies within another set exactly when it lies within one range of it.
    private static func isSubset<Bits>(_ ranges: [ClosedRange<Bits>], of others: [ClosedRange<Bits>]) -> Bool {
        ranges.allSatisfy { range in
            others.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
    }

    private static func merged<Bits: FixedWidthInteger>(_ ranges: [ClosedRange<Bits>]) -> [ClosedRange<Bits>] {
        var result: [ClosedRange<Bits>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let last = result.last
            if let last, last.upperBound == .max || range.lowerBound <= last.upperBound &+ 1 {
                result[result.count &- 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    private static func contains<Bits: FixedWidthInteger>(_ bits: Bits, in ranges: [ClosedRange<Bits>]) -> Bool {
        // The first range that ends at `bits` or later is the only one that can hold it.
        var lower = 0
        var upper = ranges.count
        while lower < upper {
            let middle = (lower &+ upper) / 2
            if ranges[middle].upperBound < bits {
                lower = middle &+ 1
            } else {
                upper = middle
            }
        }
        return lower < ranges.count && ranges[lower].lowerBound <= bits
    }
}
