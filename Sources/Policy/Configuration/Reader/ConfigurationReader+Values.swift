import Core

/// Reading of single values. Each takes nil for an absent member, answers nil for an absent or a wrong one, and reports
/// the wrong one.
extension ConfigurationReader {
    mutating func report(_ code: DiagnosticCode, at position: SourcePosition, path: String, _ message: String) {
        diagnostics.append(
            Diagnostic(.error, code, file: file, position: position, path: path, message: message))
    }

    mutating func report(_ code: DiagnosticCode, at node: LocatedNode, _ message: String) {
        report(code, at: node.position, path: node.path, message)
    }

    private mutating func reportType(_ node: LocatedNode, expected: String) {
        report(.typeWrong, at: node, "expected \(expected), found \(node.value.phrase)")
    }

    /// The members of an object; unknown ones and missing ones are reported.
    mutating func object(_ node: LocatedNode?, _ shape: ObjectShape) -> ObjectMembers? {
        guard let node else { return nil }
        guard case .object(let members) = node.value else {
            reportType(node, expected: "an object")
            return nil
        }
        let known = shape.members
        for member in members where !known.contains(where: { $0.name == member.name }) {
            reportUnknown(member, in: node.path, shape)
        }
        for member in known where member.isRequired && !members.contains(where: { $0.name == member.name }) {
            report(.memberMissing, at: node, "the member \(quoted(member.name)) is missing")
        }
        return ObjectMembers(position: node.position, path: node.path, members: members)
    }

    private mutating func reportUnknown(_ member: JSONMember, in path: String, _ shape: ObjectShape) {
        let hint = Suggestion.phrase(for: member.name, among: shape.members.map(\.name))
        report(
            .memberUnknown, at: member.namePosition, path: LocatedNode.path(path, member: member.name),
            "no member of this name is known here\(hint)")
    }

    /// The entries of a map whose names the operator chooses.
    mutating func map(_ node: LocatedNode?, of what: String) -> [MapEntry] {
        guard let node else { return [] }
        guard case .object(let members) = node.value else {
            reportType(node, expected: "an object of \(what)")
            return []
        }
        return members.map { member in
            let path = LocatedNode.path(node.path, member: member.name)
            return MapEntry(
                name: member.name, namePosition: member.namePosition, node: LocatedNode(node: member.node, path: path))
        }
    }

    /// The elements of an array.
    mutating func list(_ node: LocatedNode?, of what: String) -> [LocatedNode]? {
        guard let node else { return nil }
        guard case .array(let elements) = node.value else {
            if case .string(let text) = node.value, text.utf8.count <= 64 {
                report(.typeWrong, at: node, "expected a list of \(what), found a string: write [\(quoted(text))]")
                return nil
            }
            reportType(node, expected: "a list of \(what)")
            return nil
        }
        return elements.enumerated().map { LocatedNode(node: $1, path: "\(node.path)[\($0)]") }
    }

    /// The elements of an array that has at least one.
    mutating func filledList(_ node: LocatedNode?, of what: String) -> [LocatedNode]? {
        guard let node, let elements = list(node, of: what) else { return nil }
        guard !elements.isEmpty else {
            report(.valueEmpty, at: node, "the list of \(what) is empty")
            return nil
        }
        return elements
    }

    /// A string that is not empty.
    mutating func string(_ node: LocatedNode?, expected: String = "a string") -> Located<String>? {
        guard let node else { return nil }
        guard case .string(let text) = node.value else {
            reportType(node, expected: expected)
            return nil
        }
        guard !text.isEmpty else {
            report(.valueEmpty, at: node, "expected \(expected), found an empty one")
            return nil
        }
        return Located(text, at: node.position, path: node.path)
    }

    /// Strings of a list, none of them empty, none of them twice.
    mutating func strings(_ node: LocatedNode?, of what: String) -> [Located<String>] {
        var result: [Located<String>] = []
        for element in list(node, of: what) ?? [] {
            guard let text = string(element) else { continue }
            if result.contains(where: { $0.value == text.value }) {
                report(.valueDuplicate, at: element, "\(quoted(text.value)) stands in the list twice")
            } else {
                result.append(text)
            }
        }
        return result
    }

    /// One string, or a list of at least one.
    mutating func stringOrStrings(_ node: LocatedNode?, of what: String) -> [Located<String>] {
        guard let node else { return [] }
        if case .string = node.value { return string(node).map { [$0] } ?? [] }
        guard case .array(let elements) = node.value else {
            reportType(node, expected: "a string or a list of \(what)")
            return []
        }
        guard !elements.isEmpty else {
            report(.valueEmpty, at: node, "the list of \(what) is empty")
            return []
        }
        return strings(node, of: what)
    }

    mutating func boolean(_ node: LocatedNode?) -> Bool? {
        guard let node else { return nil }
        guard case .bool(let value) = node.value else {
            let word: String? = if case .string(let text) = node.value { text.lowercasedASCII } else { nil }
            if let word, let meant = ["yes": true, "on": true, "true": true, "no": false, "off": false, "false": false][word] {
                report(.typeWrong, at: node, "expected true or false, found a string: write \(meant) without quotation marks")
                return nil
            }
            reportType(node, expected: "true or false")
            return nil
        }
        return value
    }

    mutating func integer(_ node: LocatedNode?, in range: ClosedRange<Int>) -> Int? {
        guard let node else { return nil }
        guard case .number(let number) = node.value else {
            if case .string(let text) = node.value, let value = Int(text), range.contains(value), text == String(value) {
                report(.typeWrong, at: node, "expected a number, found a string: write \(value) without quotation marks")
                return nil
            }
            reportType(node, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        guard let value = number.integer, let result = Int(exactly: value), range.contains(result) else {
            report(
                .valueOutOfRange, at: node,
                "expected a whole number from \(range.lowerBound) to \(range.upperBound), "
                    + "found \(number.text.prefix(40))"
            )
            return nil
        }
        return result
    }

    mutating func duration(_ node: LocatedNode?, in range: ClosedRange<Nanoseconds>) -> Nanoseconds? {
        guard let node else { return nil }
        if case .number(let number) = node.value {
            let text = String(number.text.prefix(20))
            report(
                .typeWrong, at: node,
                "a duration has a unit and is in quotation marks: \(text) seconds are \"\(text)s\", minutes \"\(text)m\"")
            return nil
        }
        guard let text = string(node, expected: "a duration such as \"30s\"") else { return nil }
        guard let value = DurationText.parse(text.value) else {
            report(
                .durationInvalid, at: node,
                "\(quoted(text.value)) is not a duration; \(UnitGuess.duration(text.value))"
                    + "write a whole number and a unit: \"250ms\", \"30s\", \"10m\", \"1h\", \"7d\""
            )
            return nil
        }
        guard range.contains(value) else {
            report(
                .valueOutOfRange, at: node,
                "expected a duration from \(Self.text(of: range.lowerBound)) to "
                    + "\(Self.text(of: range.upperBound)), found \(quoted(text.value))"
            )
            return nil
        }
        return value
    }

    mutating func byteSize(_ node: LocatedNode?, in range: ClosedRange<UInt64>) -> UInt64? {
        guard let node else { return nil }
        if case .number(let number) = node.value {
            let text = String(number.text.prefix(20))
            report(
                .typeWrong, at: node,
                "a size has a unit and is in quotation marks: \(text) bytes are \"\(text)B\", kibibytes \"\(text)KiB\"")
            return nil
        }
        guard let text = string(node, expected: "a size such as \"64KiB\"") else { return nil }
        guard let value = ByteSizeText.parse(text.value) else {
            report(
                .sizeInvalid, at: node,
                "\(quoted(text.value)) is not a size; \(UnitGuess.size(text.value))"
                    + "write a whole number and a unit: \"512B\", \"64KiB\", \"10MiB\", \"1GiB\""
            )
            return nil
        }
        guard range.contains(value) else {
            report(
                .valueOutOfRange, at: node,
                "expected a size from \(range.lowerBound)B to \(range.upperBound)B, found \(quoted(text.value))")
            return nil
        }
        return value
    }

    /// One of the raw values of an enumeration.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ node: LocatedNode?, of type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let node else { return nil }
        let choices = Choice.allCases.map(\.rawValue)
        let phrase = "one of " + choices.map { "\"\($0)\"" }.joined(separator: ", ")
        guard let text = string(node, expected: phrase) else { return nil }
        guard let value = Choice(rawValue: text.value) else {
            let hint = Suggestion.phrase(for: text.value, among: choices)
            report(.valueUnknown, at: node, "expected \(phrase), found \(quoted(text.value))\(hint)")
            return nil
        }
        return value
    }

    /// An algorithm that tokens are verified with, by either name of EdDSA.
    mutating func signatureAlgorithm(_ node: LocatedNode?) -> SignatureAlgorithm? {
        if let node, node.isText(SignatureAlgorithm.ed25519Name) { return .eddsa }
        return choice(node, of: SignatureAlgorithm.self)
    }

    /// A name that logs, metrics and rate-limit fields carry: letters, digits, ".", "_", "-", at most 64 of them,
    /// beginning with a letter or digit.
    mutating func checkName(_ name: String, at position: SourcePosition, path: String) -> Bool {
        let bytes = name.utf8
        let isValid =
            (1...64).contains(bytes.count) && (bytes.first?.isLetterOrDigit ?? false)
            && bytes.allSatisfy { $0.isLetterOrDigit || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }
        if !isValid {
            report(
                .nameInvalid, at: position, path: path,
                "\(quoted(name)) is no name: up to 64 letters, digits, \".\", \"_\" and \"-\", "
                    + "beginning with a letter or digit"
            )
        }
        return isValid
    }

    /// A duration as the file would write it: the largest unit that leaves a whole number.
    static func text(of duration: Nanoseconds) -> String {
        let units: [(String, Nanoseconds)] = [
            ("d", .seconds(86_400)), ("h", .seconds(3600)), ("m", .seconds(60)), ("s", .seconds(1)),
        ]
        for (unit, length) in units where duration >= length && duration % length == 0 {
            return "\(duration / length)\(unit)"
        }
        return duration == 0 ? "0s" : "\(duration / .milliseconds(1))ms"
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool { isDigit || lowercasedASCII &- 0x61 < 26 }

    /// A character of a token (RFC 9110 §5.6.2).
    var isTokenCharacter: Bool {
        if isLetterOrDigit { return true }
        switch self {
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: return true
        default: return false
        }
    }
}

extension String {
    /// A token (RFC 9110 §5.6.2).
    var isToken: Bool { !isEmpty && utf8.allSatisfy(\.isTokenCharacter) }

    /// A field value in plain ASCII: no controls, no white space at its ends, not empty.
    var isPlainFieldValue: Bool {
        guard let first = utf8.first, let last = utf8.last, first != 0x20, last != 0x20 else { return false }
        return utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// Letters A–Z made small, everything else as it is.
    var lowercasedASCII: String { String(decoding: utf8.map(\.lowercasedASCII), as: UTF8.self) }
}
