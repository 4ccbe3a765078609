package import Core

private import Glibc

/// Turns names into addresses by way of the system's resolver. Blocks, so never on a loop's queue.
package enum NameResolution {
    /// Addresses tried of one name at most.
    private static let addressLimit = 8

    /// A name that cannot be resolved, and why, in one line.
    package struct Failure: Error, Equatable, Sendable {
        package var message: String
    }

    /// The addresses of `host` in the resolver's order, each once; an address is its own. At least one.
    package static func addresses(of host: String) throws(Failure) -> [IPAddress] {
        if let address = IPAddress(host) { return [address] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard code == 0 else {
            throw Failure(message: "cannot resolve \(host): \(unsafe String(cString: gai_strerror(code)))")
        }
        var addresses: [IPAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let address = unsafe address(of: current.pointee), addresses.count < addressLimit, !addresses.contains(address) {
                addresses.append(address)
            }
            unsafe entry = current.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw Failure(message: "cannot resolve \(host): it has no address") }
        return addresses
    }

    /// The same addresses with a port.
    package static func endpoints(of host: String, port: UInt16) throws(Failure) -> [SocketEndpoint] {
        try addresses(of: host).map { SocketEndpoint(address: $0, port: port) }
    }

    /// The resolver's own entry names the family and length of the address it points to.
    private static func address(of entry: addrinfo) -> IPAddress? {
        guard let raw = unsafe entry.ai_addr else { return nil }
        switch unsafe entry.ai_family {
        case AF_INET where unsafe Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in>.size:
            let socketAddress = unsafe UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in.self)
            return IPAddress(v4: UInt32(bigEndian: socketAddress.sin_addr.s_addr))
        case AF_INET6 where unsafe Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size:
            // The sixteen bytes stand behind family, port and flow label.
            let bytes = UnsafeRawPointer(raw)
            return IPAddress(
                high: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        default: return nil
        }
    }
}
