import COpenSSL

/// SHA-1, which the WebSocket handshake is made with (RFC 6455 §4.2.2). It proves nothing any more and must serve nothing else.
package enum SHA1 {
    /// The digest's 20 bytes.
    package static func digest(_ bytes: Span<UInt8>) -> InlineArray<20, UInt8> {
        var output = InlineArray<20, UInt8>(repeating: 0)
        var span = output.mutableSpan
        // OpenSSL reads `count` bytes from the first pointer and writes 20 to the second, which has 20.
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe span.withUnsafeMutableBufferPointer { buffer in
                guard let target = buffer.baseAddress else { return }
                unsafe copenssl_sha1(input.baseAddress, input.count, target)
            }
        }
        return output
    }
}
