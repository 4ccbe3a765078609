/// An address and port to listen on or to connect to.
package struct SocketEndpoint: Hashable, Sendable {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `192.0.2.1:80` or `[2001:db8::1]:80`. The port is decimal without leading zeros; 0 lets the system choose.
    package init?(_ text: String) {
        let bytes = text.utf8.span
        let host = Authority.hostRange(in: bytes)
        let isBracketed = bytes.count > 0 && bytes[0] == 0x5B
        guard host.upperBound < bytes.count, bytes[host.upperBound] == 0x3A else { return nil }
        let digits = bytes.extracting(host.upperBound &+ 1..<bytes.count)
        guard let port = Authority.port(digits), digits.count == 1 || digits[0] != 0x30 else { return nil }
        let literal = isBracketed ? bytes.extracting(1..<host.upperBound &- 1) : bytes.extracting(host)
        // Brackets belong around IPv6 and nowhere else.
        guard (literal.firstIndex(of: 0x3A) != nil) == isBracketed, let address = IPAddress(literal) else { return nil }
        self.init(address: address, port: port)
    }
}

extension SocketEndpoint: CustomStringConvertible {
    package var description: String {
        switch address.family {
        case .v4: "\(address):\(port)"
        case .v6: "[\(address)]:\(port)"
        }
    }
}
