import ArgumentParser
import Core

/// What commands on the store have in common.
struct StoreOptions: ParsableArguments {
    @Option(help: "The policy file, which names the store.")
    var config = "gateway.json"

    @Flag(help: "Print JSON.")
    var json = false

    func session() throws -> StoreSession { try StoreSession(config: config) }

    /// Prints one record: as JSON on one line, or a member a line.
    func show(_ record: JSONNode) {
        if json {
            var bytes: [UInt8] = []
            bytes.append(json: record)
            Output.line(String(decoding: bytes, as: UTF8.self))
            return
        }
        guard case .object(let members) = record.value else { return }
        let width = members.map(\.name.count).max() ?? 0
        for member in members {
            let padding = String(repeating: " ", count: width - member.name.count)
            Output.line("\(member.name)\(padding)  \(Self.plain(member.node))")
        }
    }

    /// Prints records: as JSON, one on a line, or as a table of some members.
    func show(_ records: [JSONNode], columns: [String]) {
        if json {
            for record in records { show(record) }
            return
        }
        let rows = [columns] + records.map { record in columns.map { record[$0].map(Self.plain) ?? "-" } }
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }
            Output.line(String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
        }
    }

    private static func plain(_ node: JSONNode) -> String {
        switch node.value {
        case .null: "-"
        case .string(let text): text
        case .array(let nodes) where nodes.isEmpty: "-"
        case .array(let nodes): nodes.map(plain).joined(separator: ",")
        case .bool, .number, .object:
            {
                var bytes: [UInt8] = []
                bytes.append(json: node)
                return String(decoding: bytes, as: UTF8.self)
            }()
        }
    }
}
