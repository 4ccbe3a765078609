/// A failed system call: which, and its `errno`.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    package var call: String
    package var code: Int32

    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    package var description: String {
        let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return "\(call): \(text)"
    }

    /// The non-negative result of a call, or its error.
    @inline(__always)
    static func check(_ result: Int, _ call: @autoclosure () -> String) throws(SystemError) -> Int {
        if result < 0 { throw SystemError(call: call(), code: Int32(truncatingIfNeeded: -result)) }
        return result
    }
}

private import Glibc
