import Core
import Testing

@testable import Policy

@Suite struct RouteDefaultsTests {
    static let defaults = #"{"authenticate":["keys"],"upstream":"up","limits":["gold"],"accept":["a/b"],"response_headers":{"set":{"X":"1"}}}"#

    /// The members that count for a route, as JSON.
    static func effective(_ route: String) throws -> String {
        let document = try JSONNode.parse("{\"defaults\":\(defaults)}".utf8.span)
        var bytes: [UInt8] = []
        bytes.append(json: RouteDefaults(document).effective(try JSONNode.parse(route.utf8.span)).node)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (
            #"{"name":"r"}"#,
            #"{"name":"r","authenticate":["keys"],"upstream":"up","limits":["gold"],"accept":["a/b"],"response_headers":{"set":{"X":"1"}}}"#
        ),
        (
            #"{"upstream":"own","limits":[],"accept":null,"response_headers":{"remove":["Y"]}}"#,
            #"{"upstream":"own","limits":[],"response_headers":{"remove":["Y"]},"authenticate":["keys"]}"#
        ),
        // What cannot be dropped stays, for the reader to refuse.
        (
            #"{"authenticate":null,"upstream":null,"limits":null,"accept":null,"response_headers":null}"#,
            #"{"authenticate":null,"upstream":null}"#
        ),
        (
            #"{"action":{"login":{}},"authenticate":"none","limits":null,"accept":null}"#,
            #"{"action":{"login":{}},"authenticate":"none","response_headers":{"set":{"X":"1"}}}"#
        ),
        (#"{"action":{"not_found":true},"limits":null}"#, #"{"action":{"not_found":true},"authenticate":"none"}"#),
        (#"[]"#, "[]"),
    ])
    func `a route has its own members, those it inherits, and not those it drops`(route: String, members: String) throws {
        #expect(try Self.effective(route) == members)
    }

    @Test(arguments: [
        (#""upstream""#, #"{"name":"r"}"#, true), (#""upstream""#, #"{"action":{"login":{}}}"#, false),
        (#"{"origins":["*"]}"#, #"{"action":{"login":{}}}"#, true), (#"{"origins":["*"]}"#, #"{"action":{"not_found":true}}"#, true),
        (#"{"origins":["*"]}"#, #"{"cors":null}"#, false),
    ])
    func `a cors that leaves the word to the upstream is not for actions, and null stays on the route`(
        cors: String, route: String, isInherited: Bool
    ) throws {
        let defaults = RouteDefaults(try JSONNode.parse("{\"defaults\":{\"cors\":\(cors)}}".utf8.span))
        let effective = defaults.effective(try JSONNode.parse(route.utf8.span))
        #expect(effective.inherited.contains("cors") == isInherited)
        #expect((effective.node["cors"] == nil) == (!isInherited && !route.contains("null")))
    }

    /// A policy with these defaults and routes beside the document that tests start from.
    static func configuration(_ members: String) throws -> Configuration {
        let read = ConfigurationReader.read(PolicyText.document(members).utf8.span, file: "gateway.json")
        #expect(read.diagnostics == [])
        return try #require(read.configuration)
    }

    @Test func `a route is read as if what it inherits was written on it`() throws {
        let configuration = try Self.configuration(
            """
            "defaults":{"authenticate":["keys"],"upstream":"up","limits":["gold"],"realm":{"header":"X-R"},"content_types":["a/b"]},
            "routes":[{"name":"a","match":{"path":"/a"}},{"name":"b","match":{"path":"/b"},"limits":null,"authenticate":"none"}]
            """)
        let (first, second) = (configuration.routes[0], configuration.routes[1])
        #expect(first.requirement.authenticators.map(\.path) == ["defaults.authenticate[0]"])
        #expect(first.limits.map(\.path) == ["defaults.limits[0]"] && first.limits.map(\.value) == ["gold"])
        #expect(first.upstream?.path == "defaults.upstream" && first.realm?.header == "X-R" && first.contentTypes == ["a/b"])
        #expect(second.requirement == .none && second.limits.isEmpty && second.upstream?.value == "up")
        #expect(configuration.unusedDefaults.isEmpty)
    }

    @Test func `a place of the policy is found where the defaults have it`() throws {
        let text = #"{"defaults":{"limits":["g"],"accept":["a/b"]},"routes":[{"name":"a"},{"name":"b","limits":["h"],"accept":null}]}"#
        let written = PolicyDocument(text.utf8.span, file: "gateway.json")
        let document = try #require(written)
        #expect(document.rule("routes", 0, "limits", 0).path == "defaults.limits[0]")
        #expect(document.rule("routes", 0, "limits", 0).position == SourcePosition(line: 1, column: 24))
        #expect(document.rule("routes", 1, "limits", 0).path == "routes[1].limits[0]")
        #expect(document.rule("routes", 1, "accept").path == "routes[1]" && !document.has("routes", 1, "accept"))
        #expect(document.has("routes", 0, "accept") && !document.has("routes", 0, "realm"))
        #expect(document.rule("defaults", "limits").path == "defaults.limits")
    }
}
