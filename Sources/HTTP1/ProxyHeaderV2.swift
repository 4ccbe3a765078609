import Core

/// The PROXY protocol's version 2: sixteen bytes, then addresses and TLVs.
enum ProxyHeaderV2 {
    /// CR LF CR LF NUL CR LF `QUIT` LF: nothing that any other protocol begins with.
    static var signature: InlineArray<12, UInt8> {
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    }
    /// The type of the TLV that holds a CRC-32C of the whole header.
    private static let checksumType: UInt8 = 0x03

    /// `bytes` begin with the signature or with a part of it.
    static func parse(_ bytes: Span<UInt8>) -> ProxyProgress {
        if bytes.count > 12, bytes[12] != 0x20, bytes[12] != 0x21 { return .malformed }
        if bytes.count > 13, addressBytes(of: bytes[13]) == nil { return .malformed }
        guard bytes.count >= 16 else { return .incomplete }
        let count = 16 &+ (Int(bytes[14]) &<< 8 | Int(bytes[15]))
        guard count <= FixedBounds.proxyHeaderBytes else { return .malformed }
        let isLocal = bytes[12] == 0x20
        guard let addresses = addressBytes(of: bytes[13]), isLocal || count >= 16 &+ addresses else {
            return .malformed
        }
        guard bytes.count >= count else { return .incomplete }
        let header = bytes.extracting(0..<count)
        // A LOCAL header's addresses and TLVs are to be skipped; a checksum among them is not looked for.
        if isLocal { return .complete(source: nil, byteCount: count) }
        guard areTLVsValid(header, from: 16 &+ addresses) else { return .malformed }
        return .complete(source: source(of: header), byteCount: count)
    }

    /// The bytes that source and destination take for a family and transport; nil for what no TCP connection has.
    private static func addressBytes(of family: UInt8) -> Int? {
        switch family {
        case 0x00: 0
        case 0x11: 12
        case 0x21: 36
        // Addresses of UNIX sockets: the client is on the proxy's own machine.
        case 0x31: 216
        default: nil
        }
    }

    private static func source(of header: Span<UInt8>) -> SocketEndpoint? {
        switch header[13] {
        case 0x11:
            SocketEndpoint(
                address: IPAddress(v4: UInt32(truncatingIfNeeded: header.bigEndian(at: 16, byteCount: 4))),
                port: UInt16(truncatingIfNeeded: header.bigEndian(at: 24, byteCount: 2)))
        case 0x21:
            SocketEndpoint(
                address: IPAddress(
                    high: header.bigEndian(at: 16, byteCount: 8), low: header.bigEndian(at: 24, byteCount: 8)),
                port: UInt16(truncatingIfNeeded: header.bigEndian(at: 48, byteCount: 2)))
        default: nil
        }
    }

    /// The TLVs fill the rest of the header exactly, and each checksum among them is right.
    private static func areTLVsValid(_ header: Span<UInt8>, from start: Int) -> Bool {
        var index = start
        while index < header.count {
            guard index &+ 3 <= header.count else { return false }
            let length = Int(header[index &+ 1]) &<< 8 | Int(header[index &+ 2])
            guard index &+ 3 &+ length <= header.count else { return false }
            if header[index] == checksumType {
                guard length == 4, isChecksumRight(header, at: index &+ 3) else { return false }
            }
            index = index &+ 3 &+ length
        }
        return true
    }

    /// The CRC-32C of the header, its own four bytes taken as zero.
    private static func isChecksumRight(_ header: Span<UInt8>, at checksum: Int) -> Bool {
        var register: UInt32 = .max
        for index in header.indices {
            let byte = checksum..<checksum &+ 4 ~= index ? 0 : header[index]
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register &>> 1 ^ (register & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
        return UInt64(~register) == header.bigEndian(at: checksum, byteCount: 4)
    }
}

extension Span where Element == UInt8 {
    fileprivate func bigEndian(at start: Int, byteCount: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in start..<start &+ byteCount { value = value &<< 8 | UInt64(self[index]) }
        return value
    }
}
