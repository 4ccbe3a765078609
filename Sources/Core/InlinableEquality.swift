// The compiler's own `==` and `!=` of an enum are calls through a witness table in other modules; written out as here
// they compare two bytes. For the enums that the request path compares per field or per message.

extension KnownField {
    @inlinable package static func == (a: KnownField, b: KnownField) -> Bool { a.rawValue == b.rawValue }
    @inlinable package static func != (a: KnownField, b: KnownField) -> Bool { a.rawValue != b.rawValue }
}

extension Method {
    @inlinable package static func == (a: Method, b: Method) -> Bool { a.rawValue == b.rawValue }
    @inlinable package static func != (a: Method, b: Method) -> Bool { a.rawValue != b.rawValue }
}

extension HTTPVersion {
    @inlinable package static func == (a: HTTPVersion, b: HTTPVersion) -> Bool { a.rawValue == b.rawValue }
    @inlinable package static func != (a: HTTPVersion, b: HTTPVersion) -> Bool { a.rawValue != b.rawValue }
}

extension TargetForm {
    @inlinable package static func == (a: TargetForm, b: TargetForm) -> Bool { a.rawValue == b.rawValue }
    @inlinable package static func != (a: TargetForm, b: TargetForm) -> Bool { a.rawValue != b.rawValue }
}
