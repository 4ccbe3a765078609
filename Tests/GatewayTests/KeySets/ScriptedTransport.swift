import Core
import Dispatch
import Synchronization

@testable import Gateway

/// Stands where the network is: every fetch waits until the test ends it, and the clock is the test's.
final class ScriptedTransport: Sendable {
    private struct State {
        var urls: [String] = []
        var running = 0
        var mostRunning = 0
        var results: [Result<FetchedDocument, FetchFault>] = []
        var now = ClockReading(instant: Instant(nanoseconds: .seconds(1000)), wall: WallTime(seconds: 1_800_000_000))
    }

    private let state = Mutex(State())
    private let began = DispatchSemaphore(value: 0)
    private let gate = DispatchSemaphore(value: 0)

    /// URLs of the fetches that began.
    var urls: [String] { state.withLock { $0.urls } }
    /// The most fetches that ran at one time.
    var mostRunning: Int { state.withLock { $0.mostRunning } }
    var now: Instant { state.withLock { $0.now.instant } }

    var surroundings: KeySetFetcher.Surroundings {
        KeySetFetcher.Surroundings(
            clock: { self.state.withLock { $0.now } }, jitter: { 1000 },
            transport: { url, _, _ throws(FetchFault) in try self.fetch(url).get() })
    }

    func advance(by span: Nanoseconds) {
        state.withLock { state in
            state.now.instant = state.now.instant.advanced(by: span)
            state.now.wall = state.now.wall.advanced(by: span)
        }
    }

    /// Waits, bounded, until one more fetch has begun.
    func waitForFetch() -> Bool { began.wait(timeout: .now() + 10) == .success }

    /// Lets one fetch end.
    func end(_ result: Result<FetchedDocument, FetchFault>) {
        state.withLock { $0.results.append(result) }
        gate.signal()
    }

    func end(_ document: String, _ lifetime: FetchedDocument.Lifetime = .unstated) {
        end(.success(FetchedDocument(bytes: Array(document.utf8), lifetime: lifetime)))
    }

    private func fetch(_ url: String) -> Result<FetchedDocument, FetchFault> {
        state.withLock { state in
            state.urls.append(url)
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
        }
        began.signal()
        let isEnded = gate.wait(timeout: .now() + 10) == .success
        return state.withLock { state in
            state.running -= 1
            return isEnded && !state.results.isEmpty ? state.results.removeFirst() : .failure(.cutShort)
        }
    }
}
