package import Core
import Dispatch
import Synchronization

/// Looks up host names in parallel. A lookup blocks for as long as the system's resolver likes and cannot be interrupted, so each
/// one runs on a queue that does nothing else; callers wait for as long as they choose, or not at all. From any thread.
package final class NameLookups: Sendable {
    package typealias Resolver = @Sendable (_ host: String) throws(NameResolution.Failure) -> [IPAddress]
    package typealias Outcome = Result<[IPAddress], NameResolution.Failure>

    /// Lookups under way at one time.
    static let laneCount = 32
    /// Those of them that may be renewals: where a resolver is down they do not hold up names that were never asked for.
    static let renewalLimit = 24

    private struct Request {
        var isRenewal: Bool
        var completions: [@Sendable (Outcome) -> Void]
    }

    private struct State {
        /// By host, those that wait for a lane included.
        var requests: [String: Request] = [:]
        /// Hosts that wait for a lane, in the order in which they came.
        var waiting: [String] = []
        var waitingRenewals: [String] = []
        var renewals = 0
        var freeLanes: [DispatchQueue] = []
        var lanes = 0

        /// The next host to look up, and where; nil when none waits or no lane is free for it.
        mutating func next() -> (host: String, lane: DispatchQueue)? {
            let host: String
            if let first = waiting.first {
                guard let lane = takeLane() else { return nil }
                waiting.removeFirst()
                return (first, lane)
            }
            guard renewals < NameLookups.renewalLimit, let first = waitingRenewals.first, let lane = takeLane() else { return nil }
            host = first
            waitingRenewals.removeFirst()
            renewals += 1
            return (host, lane)
        }

        private mutating func takeLane() -> DispatchQueue? {
            if let free = freeLanes.popLast() { return free }
            guard lanes < NameLookups.laneCount else { return nil }
            lanes += 1
            // A serial queue that blocks has a thread of its own.
            return DispatchQueue(label: "portcullis.names.\(lanes)", qos: .utility)
        }
    }

    private let resolver: Resolver
    private let state = Mutex(State())

    package init(resolver: @escaping Resolver = { host throws(NameResolution.Failure) in try NameResolution.addresses(of: host) }) {
        self.resolver = resolver
    }

    /// Looks up a name, or joins the lookup of it that is under way. `completion` is called once, on a queue of these lookups.
    /// - Parameter isRenewal: the name has been asked for before; new ones go first.
    package func ask(_ host: String, isRenewal: Bool, _ completion: @escaping @Sendable (Outcome) -> Void) {
        state.withLock { state in
            if state.requests[host] != nil {
                state.requests[host]?.completions.append(completion)
            } else {
                state.requests[host] = Request(isRenewal: isRenewal, completions: [completion])
                if isRenewal { state.waitingRenewals.append(host) } else { state.waiting.append(host) }
            }
        }
        proceed()
    }

    /// Looks up new names, all at once, and waits for the answers. A name that is not answered within `limit` has no addresses; its
    /// lookup goes on.
    package func answers(for hosts: [String], within limit: Nanoseconds) -> [String: NameAnswer] {
        final class Found: Sendable { let answers = Mutex<[String: NameAnswer]>([:]) }
        let (found, group) = (Found(), DispatchGroup())
        for host in hosts {
            group.enter()
            ask(host, isRenewal: false) { outcome in
                let answer =
                    switch outcome {
                    case .success(let addresses): NameAnswer(addresses: addresses)
                    case .failure(let failure): NameAnswer(addresses: [], failure: failure.message)
                    }
                found.answers.withLock { $0[host] = answer }
                group.leave()
            }
        }
        _ = group.wait(timeout: .now() + .nanoseconds(Int(limit)))
        var answers = found.answers.withLock { $0 }
        for host in hosts where answers[host] == nil {
            answers[host] = NameAnswer(addresses: [], failure: "cannot resolve \(host): the resolver has not answered yet")
        }
        return answers
    }

    /// Begins as many lookups as there are lanes for.
    private func proceed() {
        while let (host, lane) = state.withLock({ $0.next() }) {
            lane.async {
                let outcome: Outcome
                do throws(NameResolution.Failure) { outcome = .success(try self.resolver(host)) } catch { outcome = .failure(error) }
                let request = self.state.withLock { state in
                    let request = state.requests.removeValue(forKey: host)
                    state.freeLanes.append(lane)
                    if request?.isRenewal ?? false { state.renewals -= 1 }
                    return request
                }
                for completion in request?.completions ?? [] { completion(outcome) }
                self.proceed()
            }
        }
    }
}
