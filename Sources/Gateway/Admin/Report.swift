import Core
import Dispatch
import IO
import Policy
import Synchronization
import TokenService

/// The state of the whole gateway at one moment, for `/metrics` and `/status`.
struct Report: Sendable {
    var metrics = MetricsSnapshot()
    var reloads: ReloadHistory.Values
    var keySets: [KeySetStatus]
    var certificates: [CertificateExpiry]
    var unresolved: [UnresolvedServer]
    /// The gateway's own messages that standard error did not take.
    var messagesDropped: UInt64
    /// Nil for a gateway without a store.
    var store: RegistryStatus?
    /// Of stored credentials, in the order of their names.
    var refreshes: [CredentialVault.Refreshes]
    var connections: Int
    var buckets: Int
    var bucketsEvicted: UInt64
    var buffers: BufferLedger.Values
    var now: WallTime

    /// Gathers from every loop, then calls `completion` on a background queue.
    /// - Parameter observing: takes from each loop what is to be shown.
    static func collect(
        from shared: SharedState, observing observe: @escaping @Sendable (Worker) -> MetricsSnapshot,
        _ completion: @escaping @Sendable (Report) -> Void
    ) {
        let group = DispatchGroup()
        let merged = Merged()
        for worker in shared.workers {
            group.enter()
            worker.loop.submit {
                let snapshot = observe(worker)
                merged.metrics.withLock { $0.merge(snapshot) }
                group.leave()
            }
        }
        group.notify(queue: .global(qos: .utility)) {
            completion(
                Report(
                    metrics: merged.metrics.withLock { $0 }, reloads: shared.reloads.values,
                    keySets: shared.keySets.status(), certificates: shared.certificates,
                    unresolved: shared.unresolved, messagesDropped: shared.log.dropped,
                    store: shared.tokens.registry?.status, refreshes: shared.credentials.refreshes(),
                    connections: shared.connections.total,
                    buckets: shared.buckets.bucketCount, bucketsEvicted: shared.buckets.evictionCount,
                    buffers: shared.buffers.values, now: EventLoop.readClocks().wall))
        }
    }

    private final class Merged: Sendable {
        let metrics = Mutex(MetricsSnapshot())
    }

    func prometheusText() -> [UInt8] {
        var page = PrometheusText()
        metrics.append(to: &page)
        KeySetStatusText.append(keySets, to: &page)
        CertificateExpiryText.append(certificates, to: &page)
        if let store { RegistryStatusText.append(store, to: &page) }
        UnresolvedServer.append(unresolved, to: &page)
        page.family(
            "portcullis_messages_dropped_total", .counter, "The gateway's own messages that standard error did not take.")
        page.sample("portcullis_messages_dropped_total", [], messagesDropped)
        page.family("portcullis_credential_refreshes_total", .counter, "Refreshes of stored credentials, by result.")
        for credential in refreshes {
            let name: (StaticString, String) = ("credential", credential.name)
            page.sample(
                "portcullis_credential_refreshes_total", [name, ("result", "succeeded")], Int64(clamping: credential.successes))
            page.sample(
                "portcullis_credential_refreshes_total", [name, ("result", "failed")], Int64(clamping: credential.failures))
        }
        page.family("portcullis_buffered_bytes", .gauge, "Bytes held for messages under way.")
        page.sample("portcullis_buffered_bytes", [], Int64(buffers.bytes))
        page.family("portcullis_buffered_bytes_limit", .gauge, "The bound on bytes held for messages under way.")
        page.sample("portcullis_buffered_bytes_limit", [], Int64(buffers.limit))
        page.family(
            "portcullis_buffered_bytes_limit_reached_total", .counter,
            "How often the bound on bytes held for messages under way was reached.")
        page.sample("portcullis_buffered_bytes_limit_reached_total", [], buffers.timesReached)
        page.family("portcullis_buckets", .gauge, "Live token buckets.")
        page.sample("portcullis_buckets", [], Int64(buckets))
        page.family(
            "portcullis_buckets_evicted_total", .counter, "Buckets forgotten for new ones while bounds.buckets was reached.")
        page.sample("portcullis_buckets_evicted_total", [], Int64(clamping: bucketsEvicted))
        page.family("portcullis_reloads_total", .counter, "Reloads of the policy, by result.")
        page.sample("portcullis_reloads_total", [("result", "succeeded")], Int64(reloads.succeeded))
        page.sample("portcullis_reloads_total", [("result", "refused")], Int64(reloads.failed))
        page.family("portcullis_last_reload_successful", .gauge, "1 unless the last reload was refused.")
        page.sample("portcullis_last_reload_successful", [], reloads.lastSucceeded ? 1 : 0)
        return page.bytes
    }

    func statusJSON() -> [UInt8] {
        var out: [UInt8] = []
        out.append("{\"time\":\"")
        out.append(rfc3339: now)
        out.append("\",\"connections\":")
        out.append(decimal: connections)
        out.append(",\"buffered\":{\"bytes\":")
        out.append(decimal: buffers.bytes)
        out.append(",\"limit\":")
        out.append(decimal: buffers.limit)
        out.append(",\"limit_reached\":")
        out.append(decimal: buffers.timesReached)
        out.append("},\"buckets\":")
        out.append(decimal: buckets)
        out.append(",\"reloads\":{\"succeeded\":")
        out.append(decimal: reloads.succeeded)
        out.append(",\"refused\":")
        out.append(decimal: reloads.failed)
        out.append(",\"last_at\":\"")
        out.append(rfc3339: reloads.lastAt)
        out.append("\",\"last_error\":")
        if let error = reloads.lastError { out.append(jsonString: error) } else { out.append("null") }
        out.append("},\"key_sets\":")
        KeySetStatusText.append(json: keySets, to: &out)
        out.append(",\"messages_dropped\":")
        out.append(decimal: messagesDropped)
        out.append(",\"certificates\":")
        CertificateExpiryText.append(json: certificates, to: &out)
        if let store { RegistryStatusText.append(json: store, to: &out) }
        out.append(",\"requests_in_flight\":")
        out.append(decimal: metrics.totals.requestsInFlight)
        out.append(",\"tunnels\":")
        out.append(decimal: metrics.totals.tunnelsOpen)
        TrafficText.append(metrics, unresolved: unresolved, now: now, to: &out)
        out.append("}\n")
        return out
    }
}
