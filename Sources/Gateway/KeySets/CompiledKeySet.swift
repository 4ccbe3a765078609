package import Policy

/// A key set of a policy: its place in the process, how it is kept up to date, and, for local ones, the keys as read
/// with the policy.
package struct CompiledKeySet: Sendable {
    package var cell: KeySetCell
    package var configuration: KeySetConfiguration
    /// The keys to put in force with the policy; nil for a key set that is fetched or stored.
    package var local: KeySet?
    /// What connections to the server of a fetched one are made from.
    package var security: CompiledClientTLS?

    package init(cell: KeySetCell, configuration: KeySetConfiguration, local: KeySet?) {
        self.cell = cell
        self.configuration = configuration
        self.local = local
    }

    /// Where the keys are fetched from; nil for local and stored ones.
    var url: String? {
        switch configuration.source {
        case .url(let url), .discovery(let url): url.value
        case .file, .pem, .inline, .stored: nil
        }
    }

    /// True when nothing about fetching differs, wherever the key set stands in its policy file.
    func isFetched(like other: CompiledKeySet) -> Bool {
        let (mine, others) = (configuration, other.configuration)
        return cell === other.cell && url == other.url && mine.refresh == others.refresh
            && mine.minimumRefresh == others.minimumRefresh && mine.maximumRefresh == others.maximumRefresh
            && mine.cooldown == others.cooldown && mine.fetchTimeout == others.fetchTimeout
            && security?.identity == other.security?.identity && mine.isDiscovered == others.isDiscovered
    }
}

extension KeySetConfiguration {
    /// The URL is in the issuer's metadata.
    var isDiscovered: Bool {
        switch source {
        case .discovery: true
        case .url, .file, .pem, .inline, .stored: false
        }
    }
}
