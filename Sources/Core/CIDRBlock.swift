/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct CIDRBlock: Hashable, Sendable {
    package let network: IPAddress
    /// 0…32 for IPv4, 0…128 for IPv6.
    package let prefixLength: Int

    package init(network: IPAddress, prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }
}

/// An address and port to listen on or to connect to.
package struct SocketEndpoint: Hashable, Sendable {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}
