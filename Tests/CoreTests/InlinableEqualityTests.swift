import Core
import Testing

@Suite struct InlinableEqualityTests {
    @Test func `every field is equal to itself and to no other`() {
        let all = (UInt8.min...UInt8.max).compactMap(KnownField.init(rawValue:))
        #expect(all.count > 20)
        for a in all {
            for b in all {
                #expect((a == b) == (a.rawValue == b.rawValue))
                #expect((a != b) == (a.rawValue != b.rawValue))
            }
        }
    }

    @Test func `methods, versions and target forms compare by case`() {
        #expect(Method.get == .get && Method.get != .head && !(Method.get == .head) && !(Method.get != .get))
        #expect(HTTPVersion.http10 == .http10 && HTTPVersion.http10 != .http11 && !(HTTPVersion.http11 == .http2))
        #expect(TargetForm.origin == .origin && TargetForm.origin != .asterisk && !(TargetForm.absolute == .origin))
    }
}
