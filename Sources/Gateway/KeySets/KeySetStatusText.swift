import Core
package import Policy

/// How the state of the key sets is shown: as JSON on the admin listener and as Prometheus gauges. Key ids are shown,
/// keys never.
package enum KeySetStatusText {
    /// Appends a JSON array with one object for each key set.
    package static func append(json statuses: [KeySetStatus], to out: inout [UInt8]) {
        out.append("[")
        for (index, status) in statuses.enumerated() {
            if index > 0 { out.append(",") }
            append(status, to: &out)
        }
        out.append("]")
    }

    private static func append(_ status: KeySetStatus, to out: inout [UInt8]) {
        out.append("{\"name\":")
        out.append(jsonString: status.name)
        status.isRemote ? out.append(",\"source\":\"url\"") : out.append(",\"source\":\"local\"")
        status.isUsable ? out.append(",\"usable\":true") : out.append(",\"usable\":false")
        out.append(",\"generation\":")
        out.append(decimal: status.generation)
        out.append(",\"fetched_at\":")
        append(status.fetchedAt, to: &out)
        out.append(",\"fresh_for_seconds\":")
        if let freshFor = status.freshFor { out.append(decimal: freshFor / 1_000_000_000) } else { out.append("null") }
        out.append(",\"consecutive_failures\":")
        out.append(decimal: status.consecutiveFailures)
        out.append(",\"last_error\":")
        if let error = status.lastError { out.append(jsonString: error) } else { out.append("null") }
        out.append(",\"last_error_at\":")
        append(status.lastErrorAt, to: &out)
        out.append(",\"missing_key_ids\":")
        out.append(decimal: status.missingKids)
        out.append(",\"keys\":[")
        for (index, key) in (status.set?.keys ?? []).enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"kid\":")
            if let kid = key.kid { out.append(jsonString: kid) } else { out.append("null") }
            out.append(",\"algorithms\":[")
            for (place, algorithm) in key.algorithms.enumerated() {
                if place > 0 { out.append(",") }
                out.append(jsonString: algorithm.rawValue)
            }
            out.append("]}")
        }
        out.append("],\"skipped\":[")
        for (index, key) in (status.set?.skipped ?? []).enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"index\":")
            out.append(decimal: key.index)
            out.append(",\"kid\":")
            if let kid = key.kid { out.append(jsonString: kid) } else { out.append("null") }
            out.append(",\"reason\":")
            out.append(jsonString: key.reason.rawValue)
            out.append("}")
        }
        out.append("]}")
    }

    private static func append(_ time: WallTime?, to out: inout [UInt8]) {
        guard let time else {
            out.append("null")
            return
        }
        out.append("\"")
        out.append(rfc3339: time)
        out.append("\"")
    }

    /// Adds the key sets' gauges to a page.
    package static func append(_ statuses: [KeySetStatus], to page: inout PrometheusText) {
        func gauge(_ name: StaticString, _ help: StaticString, _ value: (KeySetStatus) -> Int64?) {
            page.family(name, .gauge, help)
            for status in statuses {
                if let value = value(status) { page.sample(name, [("key_set", status.name)], value) }
            }
        }
        gauge("portcullis_key_set_usable", "1 while tokens can be verified with the key set.") { $0.isUsable ? 1 : 0 }
        gauge("portcullis_key_set_keys", "Keys in force.") { Int64($0.set?.keys.count ?? 0) }
        gauge("portcullis_key_set_generation", "Changes of the keys since the start.") {
            Int64(truncatingIfNeeded: $0.generation)
        }
        gauge("portcullis_key_set_fetched_timestamp_seconds", "When the keys were last fetched or read.") {
            $0.fetchedAt?.seconds
        }
        gauge("portcullis_key_set_consecutive_failures", "Fetches that failed since the last good one.") {
            Int64($0.consecutiveFailures)
        }
    }
}
