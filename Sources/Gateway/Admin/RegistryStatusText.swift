import Core
import TokenService

/// How it stands with the store, in metrics and in `/status`.
enum RegistryStatusText {
    static func append(_ status: RegistryStatus, to page: inout PrometheusText) {
        page.family("portcullis_store_available", .gauge, "1 while the store can be read and written.")
        page.sample("portcullis_store_available", [], status.isLoaded && status.fault == nil ? 1 : 0)
        page.family("portcullis_store_keys", .gauge, "API keys in the store.")
        page.sample("portcullis_store_keys", [], Int64(status.keys))
        page.family("portcullis_store_users", .gauge, "Users in the store.")
        page.sample("portcullis_store_users", [], Int64(status.users))
    }

    /// As a member behind others.
    static func append(json status: RegistryStatus, to out: inout [UInt8]) {
        out.append(",\"store\":{\"loaded\":")
        out.append(status.isLoaded ? "true" : "false")
        out.append(",\"revision\":")
        out.append(decimal: status.revision)
        out.append(",\"keys\":")
        out.append(decimal: status.keys)
        out.append(",\"users\":")
        out.append(decimal: status.users)
        out.append(",\"error\":")
        if let fault = status.fault { out.append(jsonString: fault) } else { out.append("null") }
        out.append("}")
    }
}
