/// Why a text is no block of addresses.
package enum CIDRError: Error, Hashable, Sendable {
    case malformed
    /// Bits beyond the prefix are set, as in `10.1.2.3/8`: it is unclear whether the address or the block is meant.
    case hostBitsSet(network: CIDRBlock)
    /// A prefix over IPv4-mapped addresses, as in `::ffff:10.0.0.0/104`: such addresses are IPv4 here, so write
    /// `10.0.0.0/8`.
    case mappedPrefix

    /// One line for the author of the text.
    package var message: String {
        switch self {
        case .malformed: "not an address or a block of addresses"
        case .hostBitsSet(let network): "address bits are set beyond the prefix; did you mean \"\(network)\"?"
        case .mappedPrefix: "a prefix of IPv4-mapped addresses; write it as an IPv4 prefix"
        }
    }
}
