import Core
import Gateway
import Policy

/// What `diff` prints, for people and for programs.
struct DiffReport {
    let changes: [PolicyChange]
    let replay: LogReplay?

    /// A line for each change with its place, then the requests that would be answered differently.
    var text: String {
        var lines = changes.map { "\($0.description)  \($0.rule)" }
        if changes.isEmpty { lines.append("nothing is different") }
        guard let replay else { return lines.joined(separator: "\n") }
        lines.append("")
        for group in replay.groups {
            let route = group.route.map { "route \($0)" } ?? "no route"
            lines.append("\(route): \(Self.counted(group.count)) \(group.before), now \(group.after)")
            lines.append("    as \(OneLine.plain(group.example))")
        }
        for aside in replay.asides {
            lines.append("left aside: \(Self.counted(aside.count)), whose answer depends on \(OneLine.plain(aside.cause))")
            lines.append("    as \(OneLine.plain(aside.example))")
        }
        lines.append(
            "\(Self.counted(replay.requests)) in the log: \(replay.unchanged) unchanged, "
                + "\(replay.groups.reduce(0) { $0 + $1.count }) different, \(replay.leftAside) left aside")
        return lines.joined(separator: "\n")
    }

    /// `{"changes": [{"kind", "subject", "text", "file", "line", "column", "path"}], "requests": null or {"read",
    /// "unchanged", "left_aside", "different": [{"route", "before", "after", "count", "example"}], "aside": [{"cause", "count",
    /// "example"}]}}`
    var json: String {
        var out = Array("{\"changes\":[".utf8)
        for (index, change) in changes.enumerated() {
            if index > 0 { out.append(",") }
            out += Array("{\"kind\":".utf8)
            out.append(jsonString: change.kind.rawValue)
            out += Array(",\"subject\":".utf8)
            out.append(jsonString: change.subject)
            out += Array(",\"text\":".utf8)
            out.append(jsonString: change.text)
            out += Array(",\"file\":".utf8)
            out.append(jsonString: change.rule.file)
            out += Array(",\"line\":\(change.rule.position.line),\"column\":\(change.rule.position.column),\"path\":".utf8)
            out.append(jsonString: change.rule.path)
            out.append("}")
        }
        out += Array("],\"requests\":".utf8)
        if let replay { append(replay, to: &out) } else { out.append("null") }
        out.append("}")
        return String(decoding: out, as: UTF8.self)
    }

    private func append(_ replay: LogReplay, to out: inout [UInt8]) {
        out += Array(
            "{\"read\":\(replay.requests),\"unchanged\":\(replay.unchanged),\"left_aside\":\(replay.leftAside),\"different\":[".utf8)
        for (index, group) in replay.groups.enumerated() {
            if index > 0 { out.append(",") }
            out += Array("{\"route\":".utf8)
            if let route = group.route { out.append(jsonString: route) } else { out.append("null") }
            out += Array(",\"before\":".utf8)
            out.append(jsonString: group.before)
            out += Array(",\"after\":".utf8)
            out.append(jsonString: group.after)
            out += Array(",\"count\":\(group.count),\"example\":".utf8)
            out.append(jsonString: group.example)
            out.append("}")
        }
        out += Array("],\"aside\":[".utf8)
        for (index, aside) in replay.asides.enumerated() {
            if index > 0 { out.append(",") }
            out += Array("{\"cause\":".utf8)
            out.append(jsonString: aside.cause)
            out += Array(",\"count\":\(aside.count),\"example\":".utf8)
            out.append(jsonString: aside.example)
            out.append("}")
        }
        out += Array("]}".utf8)
    }

    private static func counted(_ count: Int) -> String { count == 1 ? "1 request" : "\(count) requests" }
}
