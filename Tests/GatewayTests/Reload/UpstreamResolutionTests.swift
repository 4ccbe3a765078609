import Core
import Policy
import Testing

@testable import Gateway

@Suite struct UpstreamResolutionTests {
    private func load(_ names: GatedNames, _ server: String, previous: CompiledPolicy? = nil) throws -> PolicyLoad {
        let folder = try TemporaryFolder()
        let path = try folder.write(PolicySourceTests.policy(server: server), to: "gateway.json")
        return PolicySource(path: path, lookups: names.lookups).load(previous: previous)
    }

    private func addresses(_ policy: CompiledPolicy?) -> [String]? { policy?.upstreams.flatMap { $0.servers.map { "\($0.endpoint)" } } }

    @Test func `a name that is known keeps its addresses at a reload and is not looked up`() throws {
        let names = GatedNames()
        names.set("api.internal", [0x0A00_0001, 0x0A00_0002])
        let first = try load(names, "api.internal:80").policy
        #expect(addresses(first) == ["10.0.0.1:80", "10.0.0.2:80"])
        names.set("api.internal", nil)
        let second = try load(names, "api.internal:81", previous: first)
        #expect(addresses(second.policy) == ["10.0.0.1:81", "10.0.0.2:81"])
        #expect(second.diagnostics.filter { $0.code == .serverInvalid }.isEmpty)
        #expect(names.asked == ["api.internal"])
    }

    @Test func `a new name that is not answered leaves its server out, and the policy is loaded all the same`() throws {
        let names = GatedNames()
        names.hold("slow.internal")
        let slow = try load(names, "slow.internal:80")
        #expect(addresses(slow.policy) == [])
        let warning = try #require(slow.diagnostics.first { $0.code == .serverInvalid })
        #expect(warning.severity == .warning && warning.message.contains("503 upstream_unresolved"))
        // One that has failed before is not waited for again.
        let again = try load(names, "slow.internal:80", previous: slow.policy)
        #expect(again.policy != nil && names.asked == ["slow.internal"])
        names.release("slow.internal")
    }

    @Test func `addresses are not looked up`() throws {
        let names = GatedNames()
        #expect(addresses(try load(names, "127.0.0.1:80").policy) == ["127.0.0.1:80"])
        #expect(names.asked == [])
    }

    @Test func `commands that need no addresses look up no names`() throws {
        let names = GatedNames()
        let folder = try TemporaryFolder()
        let path = try folder.write(PolicySourceTests.policy(server: "api.internal:80"), to: "gateway.json")
        let load = PolicySource(path: path, resolution: .skipped, lookups: names.lookups).load()
        #expect(load.policy != nil && load.diagnostics.filter { $0.code == .serverInvalid }.isEmpty && names.asked == [])
    }
}
