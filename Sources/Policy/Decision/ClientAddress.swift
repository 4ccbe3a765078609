import Core

/// Finds the address a request came from: the peer, or, behind trusted proxies, the first address from the right of the
/// forwarding fields that is not one of theirs.
///
/// Only the configured family of fields is read, its lines joined in order. What is no address ends the walk at the
/// last good one; so do "unknown", names that begin with "_", and the left end. With both families configured, one that
/// is absent leaves the word to the other, and two that lead to different addresses are refused. A field that
/// Connection names is read all the same: it was addressed to us.
struct ClientAddress: Sendable {
    private let trusted: AddressSet
    let family: ForwardedFields

    init(trusted: [CIDRBlock], family: ForwardedFields) {
        self.trusted = AddressSet(trusted)
        self.family = family
    }

    @inline(__always)
    func trusts(_ peer: IPAddress) -> Bool { !trusted.isEmpty && trusted.contains(peer) }

    /// The address behind a trusted peer; nil when two families of fields contradict each other.
    func client(_ head: RequestHead, behind peer: IPAddress) -> IPAddress? {
        switch family {
        case .none: return peer
        case .xForwarded: return walk(.xForwardedFor, head, peer) ?? peer
        case .forwarded: return walk(.forwarded, head, peer) ?? peer
        case .both:
            let first = walk(.xForwardedFor, head, peer)
            let second = walk(.forwarded, head, peer)
            if let first, let second, first != second { return nil }
            return first ?? second ?? peer
        }
    }

    /// Nil without any such field.
    private func walk(_ field: KnownField, _ head: RequestHead, _ peer: IPAddress) -> IPAddress? {
        var current = peer
        var isPresent = false
        for line in head.fields.reversed() where line.known == field {
            let value = head.bytes.span.extracting(line.value.range)
            let elements = field == .forwarded ? ForwardedSyntax.elements(value) : ForwardedSyntax.listItems(value)
            guard let elements else { return current }
            if !elements.isEmpty { isPresent = true }
            for range in elements.reversed() {
                let item = value.extracting(range)
                let next = field == .forwarded ? ForwardedSyntax.node(ofElement: item) : ForwardedSyntax.address(item)
                guard let next else { return current }
                current = next
                if !trusted.contains(current) { return current }
            }
        }
        return isPresent ? current : nil
    }
}
