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

    /// As they were written, `request_ip` replaced, none twice.
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
            let text = value == "request_ip" ? client.description : value
            blocks.append(try Self.block(text))
            if !texts.contains(text) { texts.append(text) }
        }
        set = AddressSet(blocks)
        if let bound = bounds.token, !set.isSubset(of: bound) { throw ActionRefusal(.tokenOptionNotAllowed) }
        if let bound = bounds.credential, let beyond = blocks.firstIndex(where: { !AddressSet([$0]).isSubset(of: bound) }) {
            throw ActionRefusal(
                .parametersInvalid, messages: ["Ips has a value beyond the addresses of the credential: \(values[beyond])"])
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

    /// The addresses that texts of a token or a list stand for.
    /// - Throws: when one of them is neither an address nor a network: it would narrow the set.
    static func set(of texts: [String]) throws(ActionRefusal) -> AddressSet {
        var blocks: [CIDRBlock] = []
        for text in texts { blocks.append(try block(text)) }
        return AddressSet(blocks)
    }

    /// Bits beyond a prefix are passed over: `212.40.50.1/24` is the network that it is in.
    private static func block(_ text: String) throws(ActionRefusal) -> CIDRBlock {
        do throws(CIDRError) { return try CIDRBlock.network(text) } catch {
            // What the client sent goes back to it: cut, so that an answer stays small.
            throw ActionRefusal(
                .parametersInvalid, messages: ["Ips has a value that is neither an address nor a network: \(text.prefix(64))"])
        }
    }
}
