import Policy
import Testing

@Suite struct AnswerTemplateTests {
    @Test(
        arguments: [
            ("", []),
            (
                #"{"detail":"Try again in {retry_after} seconds.","retry_after":{retry_after}}"#,
                [
                    .literal(#"{"detail":"Try again in "#), .retryAfter, .literal(#" seconds.","retry_after":"#),
                    .retryAfter,
                    .literal("}"),
                ]
            ),
            (#"{"code":{status},"a":{"b":{}}}"#, [.literal(#"{"code":"#), .status, .literal(#","a":{"b":{}}}"#)]),
            ("{reason}{title}{detail}{request_id}{reset}", [.reason, .title, .detail, .requestID, .reset]),
            ("{{reason}", [.literal("{reason}")]),
            ("{", [.literal("{")]),
            ("{reason", [.literal("{reason")]),
            ("{Reason}", [.literal("{Reason}")]),
        ] as [(String, [AnswerTemplatePart])])
    func `only a brace before a name in lower case begins a placeholder`(text: String, parts: [AnswerTemplatePart])
        throws
    {
        #expect(try AnswerTemplate.parse(text) == parts)
    }

    @Test func `an unknown name in braces is refused`() {
        #expect(throws: TemplateError.unknownPlaceholder("retry")) { try AnswerTemplate.parse("{retry}") }
    }

    @Test func `a template above its bound is refused`() {
        #expect(throws: TemplateError.tooLong) {
            try AnswerTemplate.parse(String(repeating: "a", count: AnswerTemplate.byteLimit + 1))
        }
    }
}
