import Core

/// A JSON object being written, its members in the order they are added.
struct ObjectText {
    private(set) var bytes: [UInt8] = Array("{".utf8)
    /// What members are called, by our names; those without a name are left out. Nil writes all, under our names.
    private let aliases: [String: String]?

    init(_ aliases: [String: String]? = nil) { self.aliases = aliases }

    /// False for a member that is left out.
    private mutating func begin(_ name: String) -> Bool {
        guard let name = aliases.map({ $0[name] }) ?? name else { return false }
        if bytes.count > 1 { bytes.append(0x2C) }
        bytes.append(jsonString: name)
        bytes.append(0x3A)
        return true
    }

    mutating func add(_ name: String, _ value: String) {
        guard begin(name) else { return }
        bytes.append(jsonString: value)
    }

    /// Null where there is none.
    mutating func add(optional name: String, _ value: String?) {
        if let value { add(name, value) } else { addNull(name) }
    }

    mutating func add(_ name: String, _ value: Bool) {
        guard begin(name) else { return }
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    mutating func add(_ name: String, _ value: Int64) {
        guard begin(name) else { return }
        bytes.append(contentsOf: String(value).utf8)
    }

    /// RFC 3339; null where there is none.
    mutating func add(_ name: String, _ time: WallTime?) {
        guard let time else {
            addNull(name)
            return
        }
        guard begin(name) else { return }
        bytes.append(0x22)
        bytes.append(rfc3339: time)
        bytes.append(0x22)
    }

    mutating func add(_ name: String, _ values: [String]) {
        guard begin(name) else { return }
        bytes.append(0x5B)
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            bytes.append(jsonString: value)
        }
        bytes.append(0x5D)
    }

    /// Text that is JSON already.
    mutating func add(json name: String, _ text: [UInt8]) {
        guard begin(name) else { return }
        bytes.append(contentsOf: text)
    }

    private mutating func addNull(_ name: String) {
        guard begin(name) else { return }
        bytes.append(contentsOf: "null".utf8)
    }

    /// The object with its closing brace.
    var closed: [UInt8] { bytes + [0x7D] }
}
