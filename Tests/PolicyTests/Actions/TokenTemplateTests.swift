import Core
import Testing

@testable import Policy

struct TokenTemplateTests {
    private static func template(_ text: String, isClaims: Bool = false) throws -> TokenTemplate {
        try TokenTemplate(try JSONNode.parse(text.utf8.span), isClaims: isClaims)
    }

    private static func filled(_ text: String) throws -> String? {
        let node = try template(text).filled { placeholder in
            switch placeholder {
            case .expiresAt: .number(JSONNumber(1_800_000_000))
            case .renewable: .bool(true)
            case .addresses: .array([JSONNode(.string("10.0.0.1"), at: SourcePosition(line: 0, column: 0))])
            case .subject: .string("a\"b")
            default: nil
            }
        }
        return node.map { node in
            var json: [UInt8] = []
            json.append(json: node)
            return String(decoding: json, as: UTF8.self)
        }
    }

    @Test(arguments: [
        (#"{"exp":"{expires_at}","rn":"{renewable}","ips":"{addresses}"}"#, #"{"exp":1800000000,"rn":true,"ips":["10.0.0.1"]}"#),
        (#"{"sub":"{subject}","a":"x{subject}y{expires_at}"}"#, #"{"sub":"a\"b","a":"xa\"by1800000000"}"#),
        (#"{"a":"{email}","b":"to {email}","c":1}"#, #"{"c":1}"#), (#"{"a":["{email}","{renewable}",null]}"#, #"{"a":[true,null]}"#),
        (#"{"a":{"b":"{expires_at}"}}"#, #"{"a":{"b":1800000000}}"#), (#"{"a":"{{subject}"}"#, #"{"a":"{subject}"}"#),
        (#"{"a":"","b":1.50,"c":false}"#, #"{"a":"","b":1.50,"c":false}"#), (#"{"a":"is {renewable}"}"#, #"{"a":"is true"}"#),
        (#"{"a":"all {addresses}"}"#, #"{"a":"all [\"10.0.0.1\"]"}"#),
    ])
    func `values take the places of their names`(text: String, result: String) throws {
        #expect(try Self.filled(text) == result)
    }

    @Test(arguments: [#"{"a":"{nothing}"}"#, #"{"a":"{"}"#, #"{"a":"{}"}"#, #"["{Subject}"]"#, #"{"a":{"b":["x{subjects}"]}}"#])
    func `unknown names are refused`(text: String) throws {
        #expect(throws: TokenTemplate.Fault.self) { try Self.template(text) }
    }

    @Test(arguments: TokenPlaceholder.allCases)
    func `claims hold nothing that comes after them`(placeholder: TokenPlaceholder) throws {
        let text = #"{"a":["{\#(placeholder.rawValue)}"]}"#
        _ = try Self.template(text)
        if placeholder.belongsToAnswer {
            #expect(throws: TokenTemplate.Fault.notInClaims(placeholder)) { try Self.template(text, isClaims: true) }
        } else {
            _ = try Self.template(text, isClaims: true)
        }
    }

    @Test func `a placeholder is found where it stands alone`() throws {
        let template = try Self.template(#"{"a":{"b":"{lifetime}"},"c":"x{subject}","d":["{email}"]}"#)
        #expect(template.path(of: .lifetime) == ["a", "b"])
        #expect(template.path(of: .subject) == nil)
        #expect(template.mentions(.subject) && template.mentions(.email) && !template.mentions(.name))
    }
}
