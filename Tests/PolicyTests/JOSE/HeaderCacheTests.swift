import Core
import Testing

@testable import Policy

struct HeaderCacheTests {
    private let cache = HeaderCache()

    private func header(_ text: String) throws(TokenFault) -> TokenHeader {
        try cache.header(Sample.encoded(text).span)
    }

    @Test func `a header is the same from the cache and without it`() throws {
        for round in 0..<3 {
            for index in 0..<20 {
                let found = try header(#"{"alg":"HS256","kid":"\#(index)","typ":"JWT"}"#)
                #expect(found.algorithm == .hs256, "\(round)")
                #expect(found.kid == "\(index)")
                #expect(found.type == "JWT")
            }
        }
    }

    @Test func `what is refused is refused again`() {
        for _ in 0..<3 {
            #expect(throws: TokenFault.algorithmNotAllowed) { try header(#"{"alg":"none"}"#) }
            #expect(throws: TokenFault.malformed) { try header(#"{"alg":"HS256","crit":["x"]}"#) }
            #expect(throws: TokenFault.malformed) { try header("") }
        }
    }

    @Test func `a header too long to keep is read all the same`() throws {
        let text = #"{"alg":"HS256","x5c":"\#(String(repeating: "A", count: 2000))","kid":"k"}"#
        for _ in 0..<3 { #expect(try header(text).kid == "k") }
    }
}
