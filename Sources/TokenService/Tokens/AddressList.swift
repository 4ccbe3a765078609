import Core
import Policy

/// The addresses that a token is to be good for, as a caller lists them.
struct AddressList: Sendable, Equatable {
    /// In network notation, `request_ip` replaced, none twice.
    var texts: [String] = []
    var set = AddressSet([])

    /// - Parameters:
    ///   - client: what `request_ip` stands for.
    ///   - bound: the addresses of the token that is shown; what lies beyond these is its own fault, however much it is.
    init(
        _ values: [String], client: IPAddress, within bound: AddressSet? = nil, terms: TokenAddressTerms
    ) throws(ActionRefusal) {
        guard values.count <= terms.valueLimit else {
            throw ActionRefusal(.parametersInvalid, messages: ["Ips has too many values (maximum is \(terms.valueLimit))"])
        }
        var blocks: [CIDRBlock] = []
        for value in values {
            let block = try Self.block(value, client: client)
            let text = block.prefixLength == block.network.bitWidth ? block.network.description : block.description
            blocks.append(block)
            if !texts.contains(text) { texts.append(text) }
        }
        set = AddressSet(blocks)
        if let bound, !set.isSubset(of: bound) { throw ActionRefusal(.tokenOptionNotAllowed) }
        let count = set.accountableCount
        guard count <= terms.addressLimit else {
            throw ActionRefusal(
                .parametersInvalid, messages: ["Ips covers too many addresses (maximum is \(terms.addressLimit), not \(count))"])
        }
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
