import Core
import Testing

struct ExpectValueTests {
    @Test(arguments: [
        ("", ExpectValue.nothing), (" , ,", .nothing), ("100-continue", .continue(0..<12)), (" 100-Continue ,", .continue(1..<13)),
        (",100-continue", .continue(1..<13)), ("100-continue, 100-continue", .unknown), ("x", .unknown), ("100-continue;q=1", .unknown),
        ("100-continue, x", .unknown), ("\"100-continue\"", .unknown),
    ])
    func `a list of nothing asks for nothing`(text: String, value: ExpectValue) {
        #expect(ExpectValue(text.utf8.span) == value)
    }
}
