import Core
import Dispatch
import Synchronization
import Testing

@testable import Gateway

/// A resolver whose answers wait until the test lets them go.
final class GatedNames: Sendable {
    struct State {
        var asked: [String] = []
        var answers: [String: [IPAddress]] = [:]
        var held: [String: DispatchSemaphore] = [:]
    }

    let state = Mutex(State())
    private let beginnings = DispatchSemaphore(value: 0)

    var lookups: NameLookups { NameLookups(resolver: resolver) }

    var resolver: NameLookups.Resolver {
        { host throws(NameResolution.Failure) in
            let gate = self.state.withLock { state in
                state.asked.append(host)
                return state.held[host]
            }
            self.beginnings.signal()
            gate?.wait()
            guard let found = self.state.withLock({ $0.answers[host] }) else {
                throw NameResolution.Failure(message: "cannot resolve \(host)")
            }
            return found
        }
    }

    var asked: [String] { state.withLock { $0.asked } }

    func set(_ host: String, _ addresses: [UInt32]?) {
        state.withLock { $0.answers[host] = addresses?.map { IPAddress(v4: $0) } }
    }

    /// Lookups of these names do not end before `release`.
    func hold(_ hosts: String...) { state.withLock { for host in hosts { $0.held[host] = DispatchSemaphore(value: 0) } } }

    func release(_ hosts: String...) { state.withLock { for host in hosts { $0.held.removeValue(forKey: host)?.signal() } } }

    /// True when so many lookups more have begun, within the bound of a test.
    func hasBegun(_ count: Int) -> Bool { (0..<count).allSatisfy { _ in beginnings.wait(timeout: .now() + 10) == .success } }
}

@Suite struct NameLookupsTests {
    @Test func `names are looked up side by side, and one that is not answered holds up no other`() {
        let names = GatedNames()
        names.set("quick.test", [0x0A00_0001])
        names.hold("slow.test", "slower.test")
        let lookups = names.lookups
        let answers = lookups.answers(for: ["slow.test", "slower.test", "quick.test", "none.test"], within: .milliseconds(500))
        #expect(answers["quick.test"] == NameAnswer(addresses: [IPAddress(v4: 0x0A00_0001)]))
        #expect(answers["none.test"]?.failure == "cannot resolve none.test")
        #expect(answers["slow.test"]?.failure == "cannot resolve slow.test: the resolver has not answered yet")
        #expect(answers["slower.test"]?.addresses == [])
        names.release("slow.test", "slower.test")
    }

    @Test func `a lookup under way is joined, not begun again`() {
        let names = GatedNames()
        names.set("api.test", [1])
        names.hold("api.test")
        let (lookups, answered) = (names.lookups, DispatchSemaphore(value: 0))
        for _ in 0..<3 { lookups.ask("api.test", isRenewal: true) { _ in answered.signal() } }
        #expect(names.hasBegun(1))
        names.release("api.test")
        for _ in 0..<3 { #expect(answered.wait(timeout: .now() + 10) == .success) }
        #expect(names.asked == ["api.test"])
    }

    @Test func `a resolver that hangs in renewals still looks up new names, and takes no more than its threads`() {
        let names = GatedNames()
        let old = (0..<100).map { "old\($0).test" }
        for host in old { names.hold(host) }
        names.set("new.test", [7])
        let lookups = names.lookups
        let ended = DispatchGroup()
        for host in old {
            ended.enter()
            lookups.ask(host, isRenewal: true) { _ in ended.leave() }
        }
        #expect(names.hasBegun(NameLookups.renewalLimit))
        #expect(lookups.answers(for: ["new.test"], within: .seconds(10))["new.test"]?.addresses == [IPAddress(v4: 7)])
        #expect(names.asked.count == NameLookups.renewalLimit + 1)
        for host in old { names.release(host) }
        #expect(ended.wait(timeout: .now() + 10) == .success)
        #expect(Set(names.asked) == Set(old + ["new.test"]))
    }
}
