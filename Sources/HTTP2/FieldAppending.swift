import Core

extension Array where Element == UInt8 {
    /// Appends `name: value` CR LF and returns where the two lie.
    mutating func append(field name: Span<UInt8>, value: Span<UInt8>, known: KnownField) -> FieldLine {
        let start = count
        let valueStart = name.count &+ 2
        let total = valueStart &+ value.count &+ 2
        append(addingCapacity: total) { out in
            // SAFETY: the span has room for `total` bytes, and exactly those are written before they are counted.
            unsafe out.withUnsafeMutableBufferPointer { buffer, count in
                guard let base = buffer.baseAddress else { return }
                let line = UnsafeMutableRawPointer(unsafe base + count)
                unsafe name.withUnsafeBytes { unsafe line.copyMemory(from: $0.baseAddress ?? .init(line), byteCount: $0.count) }
                unsafe line.storeBytes(of: 0x3A, toByteOffset: valueStart &- 2, as: UInt8.self)
                unsafe line.storeBytes(of: 0x20, toByteOffset: valueStart &- 1, as: UInt8.self)
                unsafe value.withUnsafeBytes {
                    unsafe (line + valueStart).copyMemory(from: $0.baseAddress ?? .init(line), byteCount: $0.count)
                }
                unsafe line.storeBytes(of: 0x0D, toByteOffset: total &- 2, as: UInt8.self)
                unsafe line.storeBytes(of: 0x0A, toByteOffset: total &- 1, as: UInt8.self)
                count &+= total
            }
        }
        return FieldLine(
            name: ByteRange(start: start, count: name.count),
            value: ByteRange(start: start &+ valueStart, count: value.count), known: known)
    }
}

extension Span where Element == UInt8 {
    /// A field name as HTTP/2 has it: a token without upper-case letters (RFC 9113 §8.2.1).
    var isLowercaseToken: Bool {
        guard !isEmpty else { return false }
        for index in indices where !ByteClass.token.contains(self[index]) || self[index] &- 0x41 < 26 { return false }
        return true
    }

    /// A field value as HTTP/2 has it: no controls, no whitespace at its ends (RFC 9113 §8.2.1).
    var isStrictFieldValue: Bool {
        guard firstIndexOutsideFieldValue(from: 0) == count else { return false }
        return isEmpty || !self[0].isOptionalWhitespace && !self[count &- 1].isOptionalWhitespace
    }
}
