import Core
import Testing

struct TraceContextTests {
    private static let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func read(_ text: String) -> TraceContext? { TraceContext(traceparent: text.utf8.span) }

    private func written(_ context: TraceContext?) -> String {
        var text: [UInt8] = []
        context?.append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @Test func `a field is read and written back`() {
        let context = read(Self.example)
        #expect(context?.traceHigh == 0x0AF7_6519_16CD_43DD && context?.traceLow == 0x8448_EB21_1C80_319C)
        #expect(context?.span == 0xB7AD_6B71_6920_3331 && context?.flags == 1)
        #expect(written(context) == Self.example)
    }

    @Test func `a continued trace keeps all but the span`() {
        #expect(
            written(read(Self.example)?.continued(by: 0x1234))
                == "00-0af7651916cd43dd8448eb211c80319c-0000000000001234-01")
    }

    @Test(arguments: [
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings",
        "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
    ])
    func `a higher version is read by what it begins with and continued as version 00`(text: String) {
        #expect(written(read(text)) == Self.example)
    }

    @Test func `unknown flags are cleared`() {
        #expect(written(read(Self.example.dropLast(2) + "ff")) == Self.example.dropLast(2) + "03")
        #expect(written(read(Self.example.dropLast(2) + "fc")) == Self.example.dropLast(2) + "00")
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-010",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "0A-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        " 0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
        ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ])
    func `anything else is refused`(text: String) {
        #expect(read(text) == nil)
    }

    @Test func `identifiers of zero cannot be made`() {
        #expect(
            written(TraceContext(traceHigh: 0, traceLow: 0, span: 0, flags: 0))
                == "00-00000000000000000000000000000001-0000000000000001-00")
    }
}
