import Policy
import Testing

@Suite struct TemplateSyntaxTests {
    @Test(
        arguments: [
            ("", []),
            ("plain", [.literal("plain")]),
            ("{subject}", [.subject]),
            ("{credential}{issuer}", [.credential, .issuer]),
            ("{method} {scopes}", [.method, .literal(" "), .scopes]),
            ("org/{path.org}", [.literal("org/"), .path(capture: "org")]),
            ("{client_ip};{request_id};{route}", [.clientIP, .literal(";"), .requestID, .literal(";"), .route]),
            ("{key.id}", [.keyID]),
            ("{certificate.san_dns}/{certificate.serial}", [.certificate(.dnsNames), .literal("/"), .certificate(.serial)]),
            ("{claims./a/b}", [.claim(pointer: "/a/b")]),
            ("{claims./a/b|json}", [.claimJSON(pointer: "/a/b")]),
            ("{claims./https:~1~1example.com~1org}", [.claim(pointer: "/https:~1~1example.com~1org")]),
            ("{claims./a|b}", [.claim(pointer: "/a|b")]),
            ("{{subject}}", [.literal("{subject}")]),
            ("a{{b}}c", [.literal("a{b}c")]),
            ("{{{subject}}}", [.literal("{"), .subject, .literal("}")]),
            ("grüße {subject}", [.literal("grüße "), .subject]),
        ] as [(String, [TemplatePart])])
    func `a template is text and placeholders`(text: String, parts: [TemplatePart]) throws {
        #expect(try TemplateSyntax.parse(text) == parts)
    }

    @Test(
        arguments: [
            ("{subject", .unclosedBrace, #"the template has a "{" without "}"; write "{{" for a brace"#),
            ("a}", .strayBrace, #"the template has a "}" without "{"; write "}}" for a brace"#),
            ("{}", .emptyPlaceholder, #"the template has an empty placeholder "{}""#),
            ("{subjct}", .unknownPlaceholder("subjct"), #"no placeholder named "subjct"; did you mean "subject"?"#),
            (
                "{certificate.name}", .unknownPlaceholder("certificate.name"),
                #"no placeholder named "certificate.name""#
            ),
            ("{zzz}", .unknownPlaceholder("zzz"), #"no placeholder named "zzz""#),
            ("{path.}", .invalidCapture(""), #""" is no name of a path capture"#),
            ("{path.a-b}", .invalidCapture("a-b"), #""a-b" is no name of a path capture"#),
            (
                "{claims.org}", .invalidPointer("org"),
                #""org" is no JSON Pointer; write {claims./name} or {claims./outer/inner}"#
            ),
            (
                "{claims./a~2}", .invalidPointer("/a~2"),
                #""/a~2" is no JSON Pointer; write {claims./name} or {claims./outer/inner}"#
            ),
            (
                "{claims./a~}", .invalidPointer("/a~"),
                #""/a~" is no JSON Pointer; write {claims./name} or {claims./outer/inner}"#
            ),
            ("a\r\nB: c", .controlCharacter, "the template holds a control character"),
            ("\u{85}", .controlCharacter, "the template holds a control character"),
            (String(repeating: "a", count: 4097), .tooLong, "the template is longer than 4096 bytes"),
        ] as [(String, TemplateError, String)])
    func `a template that cannot be meant is refused with its reason`(
        text: String, error: TemplateError, message: String
    ) {
        #expect(throws: error) { try TemplateSyntax.parse(text) }
        #expect(error.message == message)
    }

    @Test(arguments: [
        (TemplatePart.subject, true), (.credential, true), (.issuer, true), (.method, true), (.scopes, true),
        (.claim(pointer: "/a"), true), (.claimJSON(pointer: "/a"), true), (.keyID, true), (.literal("x"), false),
        (.path(capture: "a"), false), (.clientIP, false), (.requestID, false), (.route, false),
    ])
    func `placeholders about the caller need an identity`(part: TemplatePart, needsIdentity: Bool) {
        #expect(part.needsIdentity == needsIdentity)
    }
}
