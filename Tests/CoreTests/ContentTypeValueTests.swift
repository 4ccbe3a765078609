import Testing

@testable import Core

struct ContentTypeValueTests {
    private func type(_ value: String) -> String? { ContentTypeValue.utf8MediaType(Array(value.utf8).span) }

    @Test(arguments: [
        ("application/json", "application/json"), ("Application/JSON ; Charset=UTF-8", "application/json"),
        ("text/plain;charset=\"utf-8\"", "text/plain"), ("a/b;charset=utf8;x=y", "a/b"), ("a/b;", "a/b"), ("a/b;;x=\"a;b\\\"\" ; ", "a/b"),
        ("multipart/form-data; boundary=x", "multipart/form-data"),
    ])
    func `a type has its parameters cut off`(value: String, type: String) {
        #expect(self.type(value) == type)
    }

    @Test(arguments: [
        "charset=cp037", "charset=utf-7", "charset=utf-16", "charset=", "charset", "charset=utf-8;charset=utf-8", "charset=utf-8; Charset=cp037",
        "charset*=UTF-8''cp037", "charset*0=utf-16", "x=\"; charset=cp037\"", "x=y, charset=cp037", "charset =cp037", "charset= cp037",
        "\"charset\"=cp037", "x=y charset=cp037", "charset='utf-8'", "charset=\"utf-8", "charset=utf-8\"", "charset=utf-8 x", "charset=\"utf-8\"x",
        "charset=utf-8, text/plain", "=x", "x=\"a\\", "x-charset=utf-8",
    ])
    func `a charset that some parser could read as another one than UTF-8 is refused`(parameters: String) {
        #expect(type("application/json;" + parameters) == nil)
        #expect(type("application/json ; a=b; " + parameters) == nil)
    }

    @Test(arguments: ["", "json", "/", "a/", "/b", "a/b c", "a b/c", "a/b, c/d", "a/b/c", "a/b\"c"])
    func `what is not one type is refused`(value: String) {
        #expect(type(value) == nil)
    }
}
