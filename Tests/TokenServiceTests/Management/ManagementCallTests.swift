import Core
import Policy
import Testing

@testable import TokenService

/// Calls as the admin listener takes them apart.
struct ManagementCallTests {
    private static let policy: Configuration = {
        var policy = Configuration()
        let place = SourcePosition(line: 1, column: 1)
        for name in ["one", "two"] {
            var keys = APIKeyAuthenticatorConfiguration(sources: [.bearer(prefix: "")], pepper: nil, keys: [], keysFile: nil)
            keys.isStored = true
            policy.authenticators[name] = AuthenticatorConfiguration(name: name, kind: .apiKey(keys), position: place)
        }
        policy.keySets["own"] = KeySetConfiguration(source: .stored(algorithms: [.hs256]), position: place)
        return policy
    }()

    private func call(_ path: String, query: String = "") throws(ActionRefusal) -> ManagementCall {
        try ManagementCall.admin(
            .get, path: path, query: Array(query.utf8), contentType: nil, content: [], caller: .commandLine, policy: Self.policy,
            now: WallTime(seconds: 0))
    }

    @Test func `a path names a resource, an item and an operation`() throws {
        let call = try call("users/usr_1/sign_out")
        #expect(call.configuration.resource == .users && call.item == "usr_1" && call.operation == "sign_out")
        #expect(try self.call("jwt_keys").configuration.keySet?.value == "own")
    }

    @Test(arguments: ["", "/", "users/", "users//sign_out", "users/a/b/c", "keys", "Users", "users/a/"])
    func `other paths lead nowhere`(path: String) {
        #expect { try call(path) } throws: { ($0 as? ActionRefusal)?.denial == .resourceNotFound }
    }

    @Test func `of several authenticators one is named`() throws {
        let call = try call("api_keys", query: "max_results=5&authenticator=two&direction=asc")
        #expect(call.configuration.authenticator?.value == "two")
        #expect(String(decoding: call.query, as: UTF8.self) == "max_results=5&direction=asc")
        for query in ["", "authenticator=", "authenticator=three", "authenticator=one&authenticator=two", "authenticator=%6Fne"] {
            #expect { try self.call("api_keys", query: query) } throws: { ($0 as? ActionRefusal)?.denial == .parametersInvalid }
        }
    }
}
