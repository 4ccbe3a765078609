package import Core

/// The methods a route takes. GET includes HEAD, which is GET without the content (RFC 9110 §9.3.2).
package struct MethodSet: Sendable, Equatable {
    /// Bit n is set for the method with raw value n; all bits when every method is taken.
    private let known: UInt16
    private let others: [[UInt8]]
    /// Every method, also those without a name of their own here.
    package let isEverything: Bool
    /// The methods as an `Allow` field lists them, without those that `isEverything` stands for.
    let names: [String]

    /// No names take every method.
    package init(_ names: [String]) {
        var known: UInt16 = 0
        var others: [[UInt8]] = []
        var listed: [String] = []
        func list(_ name: String) {
            if !listed.contains(name) { listed.append(name) }
        }
        for name in names {
            let method = Method(named: name)
            list(name)
            if method == .get { list("HEAD") }
            if method == .other {
                others.append(Array(name.utf8))
            } else {
                known |= 1 << UInt16(method.rawValue)
            }
        }
        if known & (1 << UInt16(Method.get.rawValue)) != 0 { known |= 1 << UInt16(Method.head.rawValue) }
        isEverything = names.isEmpty
        self.known = names.isEmpty ? .max : known
        self.others = others
        self.names = listed
    }

    /// `name` is the method as it stands in the request, needed where `method` is `.other`.
    @inline(__always)
    package func contains(_ method: Method, named name: Span<UInt8>) -> Bool {
        if isEverything { return true }
        if method != .other { return known & (1 << UInt16(method.rawValue)) != 0 }
        for other in others where other.span.equals(name) { return true }
        return false
    }

    /// Both take some method in common.
    func overlaps(_ other: MethodSet) -> Bool {
        if isEverything || other.isEverything { return true }
        return known & other.known != 0 || others.contains { other.others.contains($0) }
    }
}

extension Method {
    /// The method a configured name stands for; method names are case-sensitive (RFC 9110 §9.1).
    init(named name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "DELETE": self = .delete
        case "PATCH": self = .patch
        case "OPTIONS": self = .options
        case "TRACE": self = .trace
        case "CONNECT": self = .connect
        default: self = .other
        }
    }
}
