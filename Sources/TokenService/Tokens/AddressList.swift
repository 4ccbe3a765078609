import Core
import Policy

/// The addresses that a token is to be good for, as a caller lists them.
struct AddressList: Sendable, Equatable {
    /// What the list may not go beyond; nil for no bound.
    struct Bounds {
        /// The addresses that the token that is shown names.
        var token: AddressSet?
        /// Those of the key or certificate behind it.
        var credential: AddressSet?
    }

    /// In network notation, `request_ip` replaced, none twice.
    var texts: [String] = []
    var set = AddressSet([])

    /// - Parameters:
    ///   - client: what `request_ip` stands for.
    ///   - bounds: what lies beyond these is a fault of its own, however much it is.
    init(
        _ values: [String], client: IPAddress, within bounds: Bounds = Bounds(), terms: TokenAddressTerms
    ) throws(ActionRefusal) {
        guard values.count <= terms.valueLimit else {
            throw ActionRefusal(.parametersInvalid, messages: ["Ips has too many values (maximum is \(terms.valueLimit))"])
        }
        var blocks: [CIDRBlock] = []
        for value in values {
            let block = try Self.block(value, client: client)
            let text = Self.text(block)
            blocks.append(block)
            if !texts.contains(text) { texts.append(text) }
        }
        set = AddressSet(blocks)
        if let bound = bounds.token, !set.isSubset(of: bound) { throw ActionRefusal(.tokenOptionNotAllowed) }
        if let bound = bounds.credential, let beyond = blocks.first(where: { !AddressSet([$0]).isSubset(of: bound) }) {
            throw ActionRefusal(
                .parametersInvalid, messages: ["Ips has a value beyond the addresses of the credential: \(Self.text(beyond))"])
        }
        let count = set.accountableCount
        guard count <= terms.addressLimit else {
            throw ActionRefusal(
                .parametersInvalid, messages: ["Ips covers too many addresses (maximum is \(terms.addressLimit), not \(count))"])
        }
    }

    /// In network notation, an address without the length of its prefix.
    static func text(_ block: CIDRBlock) -> String {
        block.prefixLength == block.network.bitWidth ? block.network.description : block.description
    }

    private static func block(_ value: String, client: IPAddress) throws(ActionRefusal) -> CIDRBlock {
        if value == "request_ip" { return CIDRBlock(network: client, prefixLength: client.bitWidth) }
        do throws(CIDRError) { return try CIDRBlock.parse(value) } catch {
            let hint = if case .hostBitsSet(let network) = error { " (the network is \(network))" } else { "" }
            // What the client sent goes back to it: cut, so that an answer stays small.
            throw ActionRefusal(
                .parametersInvalid, messages: ["Ips has a value that is no address and no network: \(value.prefix(64))\(hint)"])
        }
    }
}
