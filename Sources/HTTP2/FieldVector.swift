import CNghttp2
import Core

/// The fields of a block to be sent, as nghttp2 takes them: pointers to names and values. One is reused for block after
/// block, so that a block allocates nothing here.
///
/// The pointers are good only while the arrays they point into are lent out: fill and submit within one
/// `withUnsafeBufferPointer`. nghttp2 copies what they point to when the block is submitted, names in lower case.
@safe
final class FieldVector {
    private var entries: [nghttp2_nv] = unsafe []
    /// Digits of the status and of a Content-Length.
    private var digits = ByteBuffer()

    func removeAll() {
        unsafe entries.removeAll(keepingCapacity: true)
        digits.removeAll()
    }

    func append(name: StaticString, value: UnsafeBufferPointer<UInt8>) {
        // A static string's bytes live as long as the program, so its name need not be copied.
        unsafe append(
            UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value,
            NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
    }

    func append(name: StaticString, value: StaticString) {
        unsafe append(name: name, value: UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Adds a field whose value is `number` in decimal. At most a status and one more to a block.
    func append(name: StaticString, decimal number: UInt64) {
        let start = digits.count
        digits.append(magnitude: number)
        let count = digits.count &- start
        // The buffer's first storage holds more than two numbers, so it does not move while their digits are pointed to.
        unsafe digits.withUnsafeBytes { bytes in
            let text = unsafe bytes.bindMemory(to: UInt8.self)
            unsafe append(name: name, value: UnsafeBufferPointer(rebasing: text[start..<start &+ count]))
        }
    }

    /// Adds a line of a head or a trailer section; `bytes` are all of the head's.
    func append(_ line: FieldLine, of bytes: UnsafeBufferPointer<UInt8>) {
        guard line.name.end <= bytes.count, line.value.end <= bytes.count else { return }
        unsafe append(
            UnsafeBufferPointer(rebasing: bytes[line.name.range]), UnsafeBufferPointer(rebasing: bytes[line.value.range]), 0)
    }

    /// Adds the gateway's own lines, but those about an HTTP/1 connection. `lines` must be lent out until the fields are
    /// submitted: its buffer has one owner and does not move meanwhile.
    func append(_ lines: borrowing HeaderLines) {
        lines.forEach { name, value in
            let known = KnownField.named(name)
            guard known.travelsOverHTTP2 else { return }
            let flags = flags(for: known, name)
            unsafe name.withUnsafeBufferPointer { name in
                unsafe value.withUnsafeBufferPointer { value in unsafe append(name, value, flags) }
            }
        }
    }

    /// What differs from message to message is of no use in the peer's table, and putting it there costs.
    private func flags(for known: KnownField, _ name: Span<UInt8>) -> UInt32 {
        let isPassing =
            known == .xRequestID || known == .traceparent || known == .retryAfter
            || known == .other && (name.equalsIgnoringCase("x-ratelimit-remaining") || name.equalsIgnoringCase("x-ratelimit-reset")
                || name.equalsIgnoringCase("ratelimit"))
        return isPassing ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : 0
    }

    private func append(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, _ flags: UInt32) {
        // nghttp2 takes the pointers as mutable and does not write.
        unsafe entries.append(
            nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.baseAddress), value: UnsafeMutablePointer(mutating: value.baseAddress),
                namelen: name.count, valuelen: value.count, flags: UInt8(truncatingIfNeeded: flags)))
    }

    /// Lends the fields out for a call that submits them.
    func submit<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        unsafe entries.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) }
    }
}
