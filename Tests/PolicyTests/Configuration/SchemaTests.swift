import Core
import Foundation
import Policy
import Testing

/// The published schema, the reader and the files that come with the program say the same.
@Suite struct SchemaTests {
    static let repository = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL

    static func file(_ name: String) throws -> String {
        try String(contentsOf: repository.appending(path: name), encoding: .utf8)
    }

    /// Read once; a schema that is not there or no JSON fails every test that asks for it.
    private static let parsed = try? JSONNode.parse(file("docs/gateway.schema.json").utf8.span)

    static func schema() throws -> JSONNode { try #require(parsed) }

    @Test(arguments: ObjectShape.allCases)
    func `an object of the schema has the members the reader knows`(shape: ObjectShape) throws {
        let schema = try Self.schema()
        let object = try #require(shape == .document ? schema : schema["$defs"]?[shape.rawValue])
        let table = try #require(ConfigurationReader.memberTable[shape.rawValue])
        #expect(Set(object["properties"]?.members.map(\.name) ?? []) == Set(table.map(\.name)))
        #expect(
            Set(object["required"]?.elements.compactMap(\.text) ?? []) == Set(table.filter(\.isRequired).map(\.name)))
        if case .bool(false) = object["additionalProperties"]?.value { return }
        Issue.record("unknown members pass")
    }

    @Test func `every object of the schema is a shape of the reader`() throws {
        let objects = try Self.schema()["$defs"]?.members.filter { $0.node["properties"] != nil }.map(\.name) ?? []
        #expect(Set(objects + ["document"]) == Set(ObjectShape.allCases.map(\.rawValue)))
    }

    @Test func `every member is described`() throws {
        let schema = try Self.schema()
        for shape in [schema] + (schema["$defs"]?.members.map(\.node) ?? []) {
            for member in shape["properties"]?.members ?? [] {
                #expect(member.node["description"]?.text?.isEmpty == false, "\(member.name)")
            }
        }
    }

    @Test(arguments: ["gateway.json", "docker/gateway.json"])
    func `a shipped file fits the schema and is read without complaint`(name: String) throws {
        let text = try Self.file(name)
        let checker = SchemaChecker(root: try Self.schema())
        #expect(checker.complaints(try JSONNode.parse(text.utf8.span)) == [])
        let (configuration, errors) = ConfigurationReader.read(text.utf8.span, file: name)
        #expect(errors == [])
        #expect(ConfigurationWarnings.review(try #require(configuration), file: name, now: WallTime(seconds: 0)) == [])
    }

    @Test func `the schema takes the document the tests start from`() throws {
        let checker = SchemaChecker(root: try Self.schema())
        #expect(checker.complaints(try JSONNode.parse(PolicyText.document("").utf8.span)) == [])
    }

    /// What a schema can see at all: types, unknown and missing members, the forms of single values.
    static let structural: Set<DiagnosticCode> = [
        .memberUnknown, .memberMissing, .typeWrong, .durationInvalid, .sizeInvalid, .nameInvalid, .valueEmpty,
        .authenticationMissing, .headerNameInvalid, .secretReferenceInvalid, .pointerInvalid, .nameReserved,
    ]

    @Test(arguments: DiagnosticGoldenTests.cases)
    func `what the schema refuses the reader refuses, and the other way round for what a schema can see`(
        golden: DiagnosticGoldenTests.Case
    ) throws {
        guard let document = try? JSONNode.parse(golden.text.utf8.span) else { return }
        let complaints = SchemaChecker(root: try Self.schema()).complaints(document)
        let errors = DiagnosticGoldenTests.diagnostics(of: golden.text).filter { $0.severity == .error }
        if errors.isEmpty { #expect(complaints == []) }
        if errors.contains(where: { Self.structural.contains($0.code) }) { #expect(!complaints.isEmpty) }
    }
}
