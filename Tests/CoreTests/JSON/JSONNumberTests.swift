import Core
import Testing

struct JSONNumberTests {
    private func number(_ text: String) throws -> JSONNumber {
        guard case .number(let number) = try parsed(text).value else {
            throw JSONError(.invalidNumber, at: .init(line: 1, column: 1))
        }
        return number
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("0.000", 0), ("0e999999999999999999999", 0), ("1", 1), ("-1", -1), ("1.0", 1),
            ("1e3", 1000),
            ("1.5e1", 15), ("1.50e1", 15), ("10e-1", 1), ("100.00e-2", 1), ("0.001e3", 1), ("-25e2", -2500),
            ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775807.000", .max),
            ("922337203685477580.7e1", .max), ("1000000000000000000000000e-24", 1), ("1700000000.0", 1_700_000_000),
            ("10203040", 10_203_040),
        ] as [(String, Int64)])
    func `an integer is an integer however it is written`(text: String, value: Int64) throws {
        #expect(try number(text).integer == value)
    }

    @Test(arguments: [
        "0.5", "1e-1", "1.01", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e19", "1e400",
        "1e99999999999999999999", "1e-99999999999999999999", "0.0000000001", "99999999999999999999999999999999",
    ])
    func `what has a fraction or does not fit is no integer`(text: String) throws {
        #expect(try number(text).integer == nil)
    }

    @Test func `the text is kept as it was written`() throws {
        let text = "-123456789012345678901234567890.000000000000000000001E+0002"
        #expect(try number(text).text == text)
    }

    @Test(arguments: [("1.5", 1.5), ("-0.25", -0.25), ("1e3", 1000), ("1e400", .infinity), ("-1e400", -.infinity)])
    func `the double is the nearest one`(text: String, value: Double) throws {
        #expect(try number(text).double == value)
    }
}
