import Core

/// A JSON object being written, as a record of gateway.json or the content of a call: members in the order they were added.
struct RecordText {
    private var members: [(name: String, value: [UInt8])] = []

    var isEmpty: Bool { members.isEmpty }

    mutating func add(_ name: String, _ value: String) {
        var bytes: [UInt8] = []
        bytes.append(jsonString: value)
        members.append((name, bytes))
    }

    mutating func add(_ name: String, _ values: [String]) {
        var bytes: [UInt8] = [0x5B]
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(", ") }
            bytes.append(jsonString: value)
        }
        bytes.append(0x5D)
        members.append((name, bytes))
    }

    mutating func add(_ name: String, _ value: Bool) { members.append((name, Array((value ? "true" : "false").utf8))) }

    /// Text that is JSON already.
    mutating func add(json name: String, _ text: [UInt8]) { members.append((name, text)) }

    /// Appends the record as JSON: on one line, or a member a line behind `indent`.
    func append(to out: inout [UInt8], indent: String?) {
        out.append(contentsOf: (indent ?? "").utf8)
        out.append("{")
        for (index, member) in members.enumerated() {
            if index > 0 { out.append(",") }
            if let indent { out.append(contentsOf: "\n\(indent)  ".utf8) } else if index > 0 { out.append(" ") }
            out.append(jsonString: member.name)
            out.append(": ")
            out.append(contentsOf: member.value)
        }
        if let indent { out.append(contentsOf: "\n\(indent)".utf8) }
        out.append("}")
    }
}
