/// Makes the request and span identifiers of one event loop. They are unique, not secret.
package struct RequestIDGenerator: Sendable {
    private var sequence: PseudorandomSequence

    /// Takes 128 random bits, drawn anew for each generator: equal seeds make equal identifiers.
    package init(seed: (UInt64, UInt64)) {
        sequence = PseudorandomSequence(seed: seed)
    }

    package mutating func next() -> RequestID {
        RequestID(high: sequence.next(), low: sequence.next())
    }

    /// Appends a new identifier, 25 bytes.
    package mutating func append(to output: inout ByteBuffer) {
        next().append(to: &output)
    }

    /// Appends a new identifier, 25 bytes.
    package mutating func append(to output: inout [UInt8]) {
        next().append(to: &output)
    }

    /// A new identifier of a span; never 0, which W3C Trace Context does not allow.
    package mutating func nextSpan() -> UInt64 {
        max(sequence.next(), 1)
    }

    /// The beginning of a new trace.
    package mutating func nextTrace(isSampled: Bool) -> TraceContext {
        let id = next()
        return TraceContext(
            traceHigh: id.high, traceLow: id.low, span: nextSpan(), flags: isSampled ? TraceContext.sampledFlag : 0)
    }
}
