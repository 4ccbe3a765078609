import CLinux
package import Core

/// What reading a socket gave.
package enum ReadOutcome: Equatable {
    case bytes(Int)
    case endOfStream
    case wouldBlock
    case failed(Int32)
}

/// The socket calls the gateway makes. Descriptors are non-blocking and close-on-exec from the start.
package enum Sockets {
    /// Reads into the loop's scratch space.
    @inline(__always)
    package static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        while true {
            let count = unsafe linux_recv(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            let code = Int32(truncatingIfNeeded: -count)
            if code == EAGAIN { return .wouldBlock }
            if code != EINTR { return .failed(code) }
        }
    }

    /// Looks at what there is to read and leaves it there.
    package static func peek(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_PEEK))
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// A listening TCP socket. Several may share one address (SO_REUSEPORT), one for each loop.
    package static func listen(on endpoint: SocketEndpoint, backlog: Int32 = 4096) throws(SystemError) -> Int32 {
        let descriptor = try open(endpoint.address.family)
        do throws(SystemError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
            if endpoint.address.family == .v6 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            let name = "bind \(endpoint)"
            _ = try unsafe withAddress(endpoint) { address, length throws(SystemError) in
                try unsafe SystemError.check(linux_bind(descriptor, address, length), name)
            }
            _ = try SystemError.check(linux_listen(descriptor, backlog), "listen")
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Whether another socket listens on this address, or on one that overlaps with it, be it with SO_REUSEPORT. Connections that an
    /// ended process left behind (TIME_WAIT) do not count.
    package static func isListenedOn(_ endpoint: SocketEndpoint) throws(SystemError) -> Bool {
        let descriptor = try open(endpoint.address.family)
        defer { close(descriptor) }
        try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if endpoint.address.family == .v6 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        let result = try unsafe withAddress(endpoint) { address, length throws(SystemError) in
            unsafe linux_bind(descriptor, address, length)
        }
        return result == -Int(EADDRINUSE)
    }

    /// The id of another process that listens on this port, on whatever address; nil where the system does not let it be known.
    package static func processListening(onPort port: UInt16) -> Int32? {
        let owner = linux_listener_owner(UInt32(port))
        return owner > 0 ? owner : nil
    }

    /// A socket on its way to `endpoint`: connected when it becomes writable without a stored error.
    package static func connect(to endpoint: SocketEndpoint) throws(SystemError) -> Int32 {
        let descriptor = try open(endpoint.address.family)
        do throws(SystemError) {
            try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            let result = try unsafe withAddress(endpoint) { address, length throws(SystemError) in
                unsafe linux_connect(descriptor, address, length)
            }
            if result < 0, result != -Int(EINPROGRESS) {
                throw SystemError(call: "connect", code: Int32(truncatingIfNeeded: -result))
            }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The next connection waiting on a listening socket and its peer; nil when none waits.
    package static func accept(_ listener: Int32) throws(SystemError) -> (descriptor: Int32, peer: SocketEndpoint)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        while true {
            let result = unsafe linux_accept(listener, &storage, &length)
            if result >= 0 {
                let descriptor = Int32(truncatingIfNeeded: result)
                _ = linux_set_int_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
                return (descriptor, endpoint(from: storage))
            }
            switch Int32(truncatingIfNeeded: -result) {
            case EAGAIN: return nil
            // The peer left before it was accepted; the next one may be fine.
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ENETUNREACH: continue
            case let code: throw SystemError(call: "accept4", code: code)
            }
        }
    }

    package static func localEndpoint(of descriptor: Int32) -> SocketEndpoint {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe linux_local_name(descriptor, &storage, &length)
        return endpoint(from: storage)
    }

    /// The error stored on a socket, nil when none.
    package static func storedError(of descriptor: Int32) -> Int32? {
        let code = linux_socket_error(descriptor)
        return code == 0 ? nil : code
    }

    package static func shutDownWriting(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

    package static func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

    /// Makes `close` send RST instead of FIN: the peer must not take a cut message for a whole one.
    package static func resetOnClose(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Bytes written that the peer's side has not acknowledged (SIOCOUTQ, tcp(7)); 0 where that cannot be known.
    package static func unacknowledgedBytes(_ descriptor: Int32) -> Int { Int(linux_output_queue(descriptor)) }

    private static func open(_ family: IPAddress.Family) throws(SystemError) -> Int32 {
        Int32(try SystemError.check(linux_socket(family == .v4 ? AF_INET : AF_INET6), "socket"))
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        _ = try SystemError.check(linux_set_int_option(descriptor, level, name, value), "setsockopt")
    }

    private static func withAddress<R>(
        _ endpoint: SocketEndpoint,
        _ body: (UnsafePointer<sockaddr_storage>, socklen_t) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        var storage = sockaddr_storage()
        let length: socklen_t
        switch endpoint.address.family {
        case .v4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = endpoint.port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: endpoint.address.low).bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
        case .v6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = endpoint.port.bigEndian
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) {
                unsafe $0.storeBytes(of: endpoint.address.high.bigEndian, as: UInt64.self)
                unsafe $0.storeBytes(of: endpoint.address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
        }
        return try unsafe body(&storage, length)
    }

    private static func endpoint(from storage: sockaddr_storage) -> SocketEndpoint {
        unsafe withUnsafeBytes(of: storage) { bytes in
            if Int32(storage.ss_family) == AF_INET6 {
                let address = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
                let (high, low) = unsafe withUnsafeBytes(of: address.sin6_addr) {
                    unsafe (
                        UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                    )
                }
                return SocketEndpoint(
                    address: IPAddress(high: high, low: low), port: UInt16(bigEndian: address.sin6_port))
            }
            let address = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
            return SocketEndpoint(
                address: IPAddress(v4: UInt32(bigEndian: address.sin_addr.s_addr)),
                port: UInt16(bigEndian: address.sin_port))
        }
    }
}

private import Glibc
