/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses are turned into IPv4 where they are made, so that `::ffff:10.0.0.1`
/// and `10.0.0.1` are one address (RFC 4291 §2.5.5.2).
package struct IPAddress: Hashable, Sendable {
    package enum Family: UInt8, Sendable { case v4, v6 }
    package let family: Family
    /// The 128 bits, big-endian; an IPv4 address stands in the lowest 32 bits.
    package let high: UInt64
    package let low: UInt64

    package init(v4: UInt32) {
        family = .v4
        high = 0
        low = UInt64(v4)
    }

    /// Un-maps IPv4-mapped addresses.
    package init(high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            family = .v4
            self.high = 0
            self.low = low & 0xFFFF_FFFF
        } else {
            family = .v6
            self.high = high
            self.low = low
        }
    }

    /// The address that budgets and limits count by: IPv6 by its /64 network, IPv4 as it is.
    package var accountable: IPAddress { family == .v4 ? self : IPAddress(network: high) }

    private init(network: UInt64) {
        family = .v6
        high = network
        low = 0
    }
}
