import Core
import Policy
import Synchronization
import Testing

@testable import Gateway

@Suite struct UpstreamResolutionTests {
    /// Answers what it was last told; nil cannot be resolved.
    final class Names: Sendable {
        let addresses = Mutex<[String: [UInt32]]>([:])

        var resolution: UpstreamResolution {
            UpstreamResolution { host, port throws(NameResolution.Failure) in
                if let address = IPAddress(host) { return [SocketEndpoint(address: address, port: port)] }
                guard let found = self.addresses.withLock({ $0[host] }) else {
                    throw NameResolution.Failure(message: "cannot resolve \(host)")
                }
                return found.map { SocketEndpoint(address: IPAddress(v4: $0), port: port) }
            }
        }

        func set(_ host: String, _ list: [UInt32]?) { addresses.withLock { $0[host] = list } }
    }

    private func policy(_ names: Names, _ servers: String) throws -> [CompiledPolicy.Upstream] {
        let folder = try TemporaryFolder()
        let path = try folder.write(PolicySourceTests.policy(server: servers), to: "gateway.json")
        return try #require(PolicySource(path: path, addresses: names.resolution).load().policy).upstreams
    }

    private func hosts(_ upstreams: [CompiledPolicy.Upstream]?) -> [[String]]? {
        upstreams?.map { $0.servers.map { "\($0.endpoint)" }.sorted() }
    }

    @Test func `a name that leads elsewhere is news, the same addresses in another order are not`() throws {
        let names = Names()
        names.set("api.internal", [0x0A00_0001, 0x0A00_0002])
        let upstreams = try policy(names, "api.internal:80")
        names.set("api.internal", [0x0A00_0002, 0x0A00_0001])
        #expect(hosts(names.resolution.renewed(upstreams)) == nil)
        names.set("api.internal", [0x0A00_0002, 0x0A00_0003])
        #expect(hosts(names.resolution.renewed(upstreams)) == [["10.0.0.2:80", "10.0.0.3:80"]])
    }

    @Test func `a name that cannot be resolved any more keeps its addresses`() throws {
        let names = Names()
        names.set("api.internal", [0x0A00_0001])
        let upstreams = try policy(names, "api.internal:80")
        names.set("api.internal", nil)
        #expect(hosts(names.resolution.renewed(upstreams)) == nil)
    }

    @Test func `addresses are not asked about`() throws {
        let names = Names()
        let upstreams = try policy(names, "127.0.0.1:80")
        #expect(!UpstreamResolution.hasNames(upstreams[0].configuration))
        #expect(hosts(names.resolution.renewed(upstreams)) == nil)
    }
}
