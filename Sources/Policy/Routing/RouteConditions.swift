import Core

/// What a route asks of a request beside host and path.
struct RouteConditions: Sendable {
    /// A field that must be there, with this value or with any.
    struct Header: Sendable, Equatable {
        /// Lower case.
        var name: [UInt8]
        var value: [UInt8]?
    }

    let methods: MethodSet
    /// By name, no name twice.
    let headers: [Header]

    init(_ configuration: RouteConfiguration) {
        methods = MethodSet(configuration.methods)
        headers = configuration.headers.map { match in
            Header(name: match.name.utf8.map(\.lowercasedASCII), value: match.value.map { Array($0.utf8) })
        }
    }

    @inline(__always)
    func methodFits(_ head: RequestHead) -> Bool {
        methods.contains(head.method, named: head.bytes.span.extracting(head.methodRange.range))
    }

    /// Every header condition is met. A field that must have a value must stand there once, so that no two values fit.
    func headersFit(_ head: RequestHead) -> Bool {
        for header in headers {
            var lines = 0
            var fits = true
            for field in head.fields {
                guard head.bytes.span.extracting(field.name.range).equalsIgnoringCase(header.name.span) else {
                    continue
                }
                lines &+= 1
                if let value = header.value {
                    fits = lines == 1 && head.bytes.span.extracting(field.value.range).equals(value.span)
                }
            }
            if lines == 0 || !fits { return false }
        }
        return true
    }

    /// Chosen before a route of the same pattern that is less specific.
    func isMoreSpecific(than other: RouteConditions) -> Bool {
        if methods.isEverything != other.methods.isEverything { return !methods.isEverything }
        return headers.count > other.headers.count
    }

    /// No rule says which of the two is chosen for some request.
    func ties(with other: RouteConditions) -> Bool {
        guard methods.isEverything == other.methods.isEverything, headers.count == other.headers.count,
            methods.overlaps(other.methods)
        else { return false }
        return !headers.contains { header in
            other.headers.contains { $0.name == header.name && $0.excludes(header) }
        }
    }
}

extension RouteConditions.Header {
    /// No request meets both conditions on the one field.
    fileprivate func excludes(_ other: RouteConditions.Header) -> Bool {
        guard let value, let otherValue = other.value else { return false }
        return value != otherValue
    }
}
