import Policy

/// A server of an upstream whose name has no addresses, for operators.
package struct UnresolvedServer: Sendable {
    package var upstream: String
    /// `host:port` as configured.
    package var server: String
    /// Why the last lookup failed.
    package var message: String

    init(_ unresolved: UpstreamResolution.Unresolved) {
        upstream = unresolved.upstream
        server = "\(unresolved.server.value.host):\(unresolved.server.value.port)"
        message = unresolved.message
    }

    /// Appends how many servers of each upstream that is concerned have no addresses.
    static func append(_ unresolved: [UnresolvedServer], to page: inout PrometheusText) {
        page.family("portcullis_upstream_servers_unresolved", .gauge, "Servers whose names have no addresses, by upstream.")
        for (upstream, servers) in Dictionary(grouping: unresolved, by: \.upstream).sorted(by: { $0.key < $1.key }) {
            page.sample("portcullis_upstream_servers_unresolved", [("upstream", upstream)], Int64(servers.count))
        }
    }
}
