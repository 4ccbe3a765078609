import Core

/// The PROXY protocol's version 1: one line of text.
enum ProxyHeaderV1 {
    /// `PROXY `
    static var signature: InlineArray<6, UInt8> { [0x50, 0x52, 0x4F, 0x58, 0x59, 0x20] }
    /// The longest line the specification allows, CR LF included.
    static let byteLimit = 107

    /// `bytes` begin with the signature or with a part of it.
    static func parse(_ bytes: Span<UInt8>) -> ProxyProgress {
        let window = bytes.extracting(0..<Swift.min(bytes.count, byteLimit))
        guard let end = window.firstIndex(of: 0x0D), end &+ 1 < window.count else {
            return window.count < byteLimit && window.isPrintable ? .incomplete : .malformed
        }
        guard window[end &+ 1] == 0x0A, end >= signature.count else { return .malformed }
        let line = window.extracting(signature.count..<end)
        guard line.isPrintable else { return .malformed }
        var index = 0
        guard let family = line.nextWord(from: &index) else { return .malformed }
        let kind = line.extracting(family)
        // What follows UNKNOWN must be ignored.
        if kind.equals("UNKNOWN") { return .complete(source: nil, byteCount: end &+ 2) }
        let isV4 = kind.equals("TCP4")
        guard isV4 || kind.equals("TCP6") else { return .malformed }
        guard let source = line.nextWord(from: &index), let destination = line.nextWord(from: &index),
            let sourcePort = line.nextWord(from: &index), let destinationPort = line.nextWord(from: &index),
            index > line.count
        else { return .malformed }
        guard let address = ipAddress(line.extracting(source), isV4: isV4),
            ipAddress(line.extracting(destination), isV4: isV4) != nil,
            let port = portNumber(line.extracting(sourcePort)), portNumber(line.extracting(destinationPort)) != nil
        else { return .malformed }
        return .complete(source: SocketEndpoint(address: address, port: port), byteCount: end &+ 2)
    }

    private static func ipAddress(_ text: Span<UInt8>, isV4: Bool) -> IPAddress? {
        let looksV6 = text.firstIndex(of: 0x3A) != nil
        guard looksV6 != isV4 else { return nil }
        return IPAddress(text)
    }

    /// A port without leading zeros.
    private static func portNumber(_ digits: Span<UInt8>) -> UInt16? {
        guard digits.count <= 1 || digits[0] != 0x30 else { return nil }
        return Authority.port(digits)
    }
}

extension Span where Element == UInt8 {
    /// Nothing but visible ASCII and spaces, save one CR at the end, whose LF may be to come.
    fileprivate var isPrintable: Bool {
        for index in indices where self[index] &- 0x20 >= 0x5F {
            if self[index] != 0x0D || index != count &- 1 { return false }
        }
        return true
    }

    /// The word from `index` to the next space or the end; moves `index` behind that space, and beyond the end with the
    /// last word. Nil for an empty word.
    fileprivate func nextWord(from index: inout Int) -> Range<Int>? {
        guard index < count else { return nil }
        let start = index
        let end = firstIndex(of: 0x20, from: start) ?? count
        index = end &+ 1
        return end > start ? start..<end : nil
    }
}
