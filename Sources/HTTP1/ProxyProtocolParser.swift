import Core

/// Reads the PROXY protocol header, version 1 or 2, that a trusted peer sends before anything else (the specification
/// of HAProxy, 2020/03/05). Without state: a header is small and comes in one segment, so it is read from its beginning
/// each time.
///
/// Strict: upper case, single spaces, canonical numbers and addresses in version 1; known commands and families, stream
/// transport, whole TLVs and a right checksum in version 2. Either is bounded: 107 bytes, and
/// `FixedBounds.proxyHeaderBytes`.
package enum ProxyProtocolParser {
    /// Looks at `bytes`, which begin at the first byte of the connection.
    package static func parse(_ bytes: Span<UInt8>) -> ProxyProgress {
        guard !bytes.isEmpty else { return .incomplete }
        if bytes.agrees(with: ProxyHeaderV2.signature.span) { return ProxyHeaderV2.parse(bytes) }
        if bytes.agrees(with: ProxyHeaderV1.signature.span) { return ProxyHeaderV1.parse(bytes) }
        return .absent
    }
}

extension Span where Element == UInt8 {
    /// These bytes begin with `signature`, or are the beginning of it.
    fileprivate func agrees(with signature: Span<UInt8>) -> Bool {
        let length = Swift.min(count, signature.count)
        return extracting(0..<length).equals(signature.extracting(0..<length))
    }
}
