/// What a path makes use of that rules for paths may refuse (`PathRules`).
struct PathUses: OptionSet, Sendable {
    let rawValue: UInt8

    static let dotSegments = PathUses(rawValue: 1)
    static let encodedSlash = PathUses(rawValue: 2)
    static let invalidUTF8 = PathUses(rawValue: 4)
    static let emptySegments = PathUses(rawValue: 8)

    /// What a refusal for it names; nil for nothing.
    var fault: PathFault? {
        if contains(.dotSegments) { return .dotSegment }
        if contains(.encodedSlash) { return .encodedSlash }
        if contains(.invalidUTF8) { return .encodingInvalid }
        return contains(.emptySegments) ? .emptySegment : nil
    }
}

extension PathRules {
    /// What the rules refuse.
    var refused: PathUses {
        var uses = PathUses()
        if dotSegments == .reject { uses.insert(.dotSegments) }
        if encodedSlash == .reject { uses.insert(.encodedSlash) }
        if invalidUTF8 == .reject { uses.insert(.invalidUTF8) }
        if emptySegments == .reject { uses.insert(.emptySegments) }
        return uses
    }

    /// Rules that refuse only what all of several rules refuse.
    static func loosest(of uses: some Sequence<PathUses>) -> PathRules {
        let refused = uses.reduce(PathUses(rawValue: .max)) { $0.intersection($1) }
        var rules = PathRules()
        rules.dotSegments = refused.contains(.dotSegments) ? .reject : .remove
        rules.encodedSlash = refused.contains(.encodedSlash) ? .reject : .keep
        rules.invalidUTF8 = refused.contains(.invalidUTF8) ? .reject : .keep
        rules.emptySegments = refused.contains(.emptySegments) ? .reject : .merge
        return rules
    }
}
