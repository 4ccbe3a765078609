/// Addresses as text: read strictly (RFC 6943 §3.1.1, RFC 4291 §2.2), written in the one form of RFC 5952.
extension IPAddress: CustomStringConvertible {
    /// Reads `192.0.2.1` or `2001:db8::1` and nothing else: four decimal octets without leading zeros, or eight groups
    /// of at most four digits with at most one `::`, the last two perhaps as an IPv4 address. No zone, brackets, white
    /// space, octal, hexadecimal or short IPv4 forms. An IPv4-mapped address becomes the IPv4 address.
    package init?(_ text: Span<UInt8>) {
        if text.firstIndex(of: 0x3A) == nil {
            guard let address = text.ipv4Address else { return nil }
            self.init(v4: address)
        } else {
            guard let bits = text.ipv6Address else { return nil }
            self.init(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
        }
    }

    package init?(_ text: String) {
        self.init(text.utf8.span)
    }

    package var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text of RFC 5952: lower case, the longest run of zero groups (two or more) as `::`.
    package func append(to output: inout [UInt8]) {
        switch family {
        case .v4:
            for shift: UInt64 in [24, 16, 8, 0] {
                output.append(decimal: UInt8(truncatingIfNeeded: low >> shift))
                if shift > 0 { output.append(0x2E) }
            }
        case .v6:
            let zeros = longestRunOfZeroGroups
            var index = 0
            while index < 8 {
                if index == zeros.lowerBound {
                    output.append("::")
                    index = zeros.upperBound
                } else {
                    if index > 0, index != zeros.upperBound { output.append(0x3A) }
                    output.append(hexadecimal: group(index))
                    index &+= 1
                }
            }
        }
    }

    /// All 128 bits; an IPv4 address stands in the lowest 32.
    var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// The first of the longest runs of at least two groups that are zero; empty at the end when there is none.
    private var longestRunOfZeroGroups: Range<Int> {
        var longest = 8..<8
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 {
                start = index &+ 1
            } else if index > start, index &+ 1 &- start > longest.count {
                longest = start..<index &+ 1
            }
        }
        return longest
    }

    /// One of the eight 16-bit groups of an IPv6 address.
    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64((3 &- index & 3) &* 16))
    }
}

extension Span where Element == UInt8 {
    fileprivate var ipv4Address: UInt32? {
        guard 7...15 ~= count else { return nil }
        var address: UInt32 = 0
        var index = 0
        for octet in 0..<4 {
            if octet > 0 {
                guard index < count, self[index] == 0x2E else { return nil }
                index &+= 1
            }
            let start = index
            var value: UInt32 = 0
            while index < count, index &- start < 3, self[index].isDigit {
                value = value &* 10 &+ UInt32(self[index] &- 0x30)
                index &+= 1
            }
            let digits = index &- start
            guard digits > 0, value < 256, digits == 1 || self[start] != 0x30 else { return nil }
            address = address << 8 | value
        }
        return index == count ? address : nil
    }

    /// The 128 bits of an IPv6 address in text form, an IPv4-mapped one as it is.
    var ipv6Address: UInt128? {
        guard 2...45 ~= count else { return nil }
        var groups: UInt128 = 0
        var groupCount = 0
        /// How many groups stood before the "::".
        var compression: Int?
        var index = 0
        if self[0] == 0x3A {
            guard self[1] == 0x3A else { return nil }
            compression = 0
            index = 2
        }
        while index < count {
            let end = firstIndex(of: 0x3A, from: index) ?? count
            let part = extracting(index..<end)
            if part.firstIndex(of: 0x2E) != nil {
                guard end == count, groupCount <= 6, let tail = part.ipv4Address else { return nil }
                groups = groups << 32 | UInt128(tail)
                groupCount &+= 2
            } else {
                guard groupCount < 8, let group = part.hexadecimalGroup else { return nil }
                groups = groups << 16 | UInt128(group)
                groupCount &+= 1
            }
            guard end < count else { break }
            index = end &+ 1
            // A colon is followed by a group or by the second colon of the one "::".
            guard index < count else { return nil }
            if self[index] == 0x3A {
                guard compression == nil else { return nil }
                compression = groupCount
                index &+= 1
            }
        }
        guard let before = compression else { return groupCount == 8 ? groups : nil }
        // "::" stands for one group at least (RFC 4291 §2.2, RFC 5952 §4.2.2).
        guard groupCount < 8 else { return nil }
        let after = UInt128((groupCount &- before) &* 16)
        let tail = groups & (1 << after &- 1)
        return before == 0 ? tail : ((groups >> after) << UInt128((8 &- before) &* 16)) | tail
    }

    private var hexadecimalGroup: UInt16? {
        guard 1...4 ~= count else { return nil }
        var group: UInt16 = 0
        for index in indices {
            guard let digit = self[index].hexDigit else { return nil }
            group = group << 4 | UInt16(digit)
        }
        return group
    }
}

extension Array where Element == UInt8 {
    /// Appends a group in lower case without leading zeros.
    fileprivate mutating func append(hexadecimal group: UInt16) {
        var isLeading = true
        for shift: UInt16 in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: group >> shift) & 0xF
            if digit == 0, isLeading, shift > 0 { continue }
            isLeading = false
            append(lowercaseHexDigit: digit)
        }
    }
}
