import Core
import Testing

@Suite struct KnownFieldTests {
    static let names: [(String, KnownField)] = [
        ("te", .te), ("via", .via), ("host", .host), ("date", .date), ("cookie", .cookie), ("server", .server),
        ("expect", .expect), ("upgrade", .upgrade), ("trailer", .trailer), ("forwarded", .forwarded),
        ("x-real-ip", .xRealIP), ("connection", .connection), ("keep-alive", .keepAlive), ("retry-after", .retryAfter),
        ("traceparent", .traceparent), ("content-type", .contentType), ("x-request-id", .xRequestID),
        ("max-forwards", .maxForwards), ("authorization", .authorization), ("content-length", .contentLength),
        ("x-forwarded-for", .xForwardedFor), ("proxy-connection", .proxyConnection),
        ("x-forwarded-host", .xForwardedHost), ("x-forwarded-port", .xForwardedPort),
        ("www-authenticate", .wwwAuthenticate), ("transfer-encoding", .transferEncoding),
        ("x-forwarded-proto", .xForwardedProto), ("proxy-authenticate", .proxyAuthenticate),
        ("proxy-authorization", .proxyAuthorization),
    ]

    static func named(_ bytes: [UInt8]) -> KnownField { KnownField.named(bytes.span) }

    @Test func `every field but other has a name`() {
        #expect(Set(Self.names.map(\.1.rawValue)) == Set(1...UInt8(Self.names.count)))
        #expect(KnownField(rawValue: UInt8(Self.names.count + 1)) == nil)
    }

    @Test(arguments: names) func `a name stands for its field in any case, and nothing near it does`(
        name: String, field: KnownField
    ) {
        var generator = SplitMix(state: 5)
        let bytes = Array(name.utf8)
        for _ in 0..<50 {
            let mixed = bytes.map { 0x61...0x7A ~= $0 && Bool.random(using: &generator) ? $0 - 0x20 : $0 }
            #expect(Self.named(mixed) == field)
        }
        for position in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var other = bytes
                other[position] = byte
                let folded = other.map { 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 }
                let expected = Self.names.first { Array($0.0.utf8) == folded }?.1 ?? .other
                if Self.named(other) != expected { Issue.record("\(other)") }
            }
            #expect(Self.named(Array(bytes[..<position])) == .other)
        }
        #expect(Self.named(bytes + [0x73]) == .other)
    }

    @Test func `names of other lengths stand for nothing`() {
        for length in [0, 1, 5, 8, 20, 21, 24, 25, 300] {
            #expect(Self.named([UInt8](repeating: 0x78, count: length)) == .other)
        }
    }
}
