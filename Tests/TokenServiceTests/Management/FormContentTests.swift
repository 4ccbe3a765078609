import Core
import Testing

@testable import TokenService

struct FormContentTests {
    private func json(_ text: String) throws(FormContent.Fault) -> String {
        let members = try FormContent.parse(Array(text.utf8))
        var bytes: [UInt8] = []
        bytes.append(json: JSONNode(.object(members), at: SourcePosition(line: 1, column: 1)))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("", "{}"), ("a=1", #"{"a":"1"}"#), ("a=1&b=x%20y+z", #"{"a":"1","b":"x y z"}"#), ("a", #"{"a":""}"#),
        ("k[a]=1&k[b]=2", #"{"k":{"a":"1","b":"2"}}"#), ("k%5Ba%5D=1", #"{"k":{"a":"1"}}"#),
        ("&", "{}"), ("&&a=1&&b=2&", #"{"a":"1","b":"2"}"#), ("l[]=1&l[]=2", #"{"l":["1","2"]}"#), ("k[l][]=1&k[l][]=2", #"{"k":{"l":["1","2"]}}"#), ("a==", #"{"a":"="}"#),
    ])
    func `forms read as objects of strings`(text: String, expected: String) throws {
        #expect(try json(text) == expected)
    }

    @Test(arguments: [
        ("a=1&a=2", "a"), ("a=1&a[b]=2", "a[b]"), ("a[b]=1&a=2", "a"), ("a[]=1&a=2", "a"), ("a=1&a[]=2", "a[]"),
        ("a[b]=1&a[]=2", "a[]"), ("a[b]=1&a[b]=2", "a[b]"), ("a=1&%61=1", "a"),
    ])
    func `what stands for one value has one`(text: String, name: String) {
        #expect(throws: FormContent.Fault.repeated(name: name)) { try json(text) }
    }

    @Test(arguments: [
        "=1", "=", "&=", "a=%", "a=%4", "a=%zz", "a=%FF", "a=%00", "a[b=1", "a]b=1", "[a]=1", "a[b]c=1", "a[][b]=1", "a[b][c][d]=1", "a[[b]]=1", "a=%C0%AF",
        String(repeating: "a&", count: 300), String(repeating: "&", count: 300),
    ])
    func `what is nested too deep or malformed is no form`(text: String) {
        #expect(throws: FormContent.Fault.malformed) { try json(text) }
    }
}
