package import Core
import Policy

/// How one access record reads: a JSON object on a line of its own, every member always there, `null` where nothing is
/// known. Allowed and refused requests have the same members.
///
/// The query is left out: it is where clients put credentials. Long values are cut, so a line stays below 16 KiB.
package enum AccessRecordText {
    /// Bytes of a path, of a host, and of any other value that are written at most.
    package static let pathBytes = 2048
    package static let valueBytes = 256

    /// Appends the record as one line with its line feed. The head may be empty, or filled only as far as it could be
    /// read.
    package static func append(_ record: borrowing AccessRecord, head: borrowing RequestHead, to out: inout [UInt8]) {
        out.append("{\"time\":\"")
        out.append(rfc3339: record.time)
        out.append("\",\"request_id\":")
        append(record.requestID, to: &out)
        out.append(",\"client\":\"")
        record.client.append(to: &out)
        out.append("\",\"peer\":\"")
        record.peer.append(to: &out)
        out.append("\"")
        append(head, isSecure: record.isSecure, to: &out)
        out.append(",\"status\":")
        out.append(decimal: record.status)
        append(",\"reason\":", record.reason, to: &out)
        append(",\"token_member\":", record.tokenMember.map { String(decoding: $0.utf8.prefix(valueBytes), as: UTF8.self) }, to: &out)
        append(record.shadowRefusals, to: &out)
        append(",\"route\":", record.route, to: &out)
        append(",\"other_route\":", record.otherRoute, to: &out)
        append(",\"upstream\":", record.upstream, to: &out)
        append(",\"server\":", record.server, to: &out)
        switch record.authentication {
        case .none: out.append(",\"auth\":\"none\",\"source\":")
        case .apiKey: out.append(",\"auth\":\"api_key\",\"source\":")
        case .token: out.append(",\"auth\":\"jwt\",\"source\":")
        case .certificate: out.append(",\"auth\":\"certificate\",\"source\":")
        }
        append(record.source, to: &out)
        out.append(",\"credential\":")
        append(record.credential, to: &out)
        out.append(",\"fingerprint\":")
        append(record.fingerprint, to: &out)
        out.append(",\"subject\":")
        append(record.subject, to: &out)
        out.append(",\"bytes_in\":")
        out.append(decimal: record.bytesIn)
        out.append(",\"bytes_out\":")
        out.append(decimal: record.bytesOut)
        out.append(",\"duration_us\":")
        out.append(decimal: max(record.duration, 0) / 1000)
        out.append(",\"upstream_us\":")
        if let duration = record.upstreamDuration {
            out.append(decimal: max(duration, 0) / 1000)
        } else {
            out.append("null")
        }
        out.append(",\"retries\":")
        out.append(decimal: record.retries)
        out.append("}\n")
    }

    /// The members that come from the request head.
    private static func append(_ head: borrowing RequestHead, isSecure: Bool, to out: inout [UInt8]) {
        out.append(",\"method\":")
        append(head.methodRange, of: head, limit: valueBytes, to: &out)
        if head.methodRange.isEmpty {
            out.append(",\"scheme\":null,\"host\":")
        } else {
            isSecure ? out.append(",\"scheme\":\"https\",\"host\":") : out.append(",\"scheme\":\"http\",\"host\":")
        }
        append(head.authority, of: head, limit: valueBytes, to: &out)
        out.append(",\"path\":")
        if head.path.isEmpty && !head.methodRange.isEmpty {
            out.append("\"/\"")
        } else {
            append(head.path, of: head, limit: pathBytes, to: &out)
        }
        switch head.version {
        case _ where head.methodRange.isEmpty: out.append(",\"version\":null")
        case .http10: out.append(",\"version\":\"1.0\"")
        case .http11: out.append(",\"version\":\"1.1\"")
        case .http2: out.append(",\"version\":\"2\"")
        }
        out.append(",\"user_agent\":")
        let bytes = head.bytes.span
        for index in head.fields.indices where head.fields[index].name.count == 10 {
            let field = head.fields[index]
            if field.name.end <= bytes.count, bytes.extracting(field.name.range).equalsIgnoringCase("user-agent") {
                append(field.value, of: head, limit: valueBytes, to: &out)
                return
            }
        }
        out.append("null")
    }

    private static func append(_ refusals: [ShadowRefusal], to out: inout [UInt8]) {
        if refusals.isEmpty {
            out.append(",\"would_have\":null")
            return
        }
        for (index, refusal) in refusals.enumerated() {
            out.append(index == 0 ? ",\"would_have\":[{\"rule\":" : ",{\"rule\":")
            out.append(jsonString: refusal.rule)
            append(",\"reason\":", refusal.denial.reason, to: &out)
            out.append("}")
        }
        out.append("]")
    }

    /// Part of the head as a JSON string; `null` when empty, or when it does not lie in the head because reading failed
    /// half way.
    private static func append(
        _ range: ByteRange, of head: borrowing RequestHead, limit: Int, to out: inout [UInt8]
    ) {
        guard !range.isEmpty, range.end <= head.bytes.count else {
            out.append("null")
            return
        }
        let start = Int(range.start)
        out.append(jsonString: head.bytes.span.extracting(start..<start &+ min(Int(range.count), limit)))
    }

    private static func append(_ value: borrowing [UInt8], to out: inout [UInt8]) {
        if value.isEmpty {
            out.append("null")
        } else {
            out.append(jsonString: value.span.extracting(0..<min(value.count, valueBytes)))
        }
    }

    private static func append(_ member: StaticString, _ value: String?, to out: inout [UInt8]) {
        out.append(member)
        if let value {
            out.append(jsonString: value)
        } else {
            out.append("null")
        }
    }
}
