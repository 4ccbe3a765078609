import Foundation
import Testing

@testable import Gateway

struct WebSocketHandshakeTests {
    @Test func `the proof is the one of the RFC`() {
        // RFC 6455 §1.3.
        let proof = WebSocketHandshake.acceptValue(for: Array("dGhlIHNhbXBsZSBub25jZQ==".utf8))
        #expect(proof == Array("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8))
    }

    @Test func `keys are 16 bytes in base64, each another`() throws {
        var seen: Set<[UInt8]> = []
        for _ in 0..<32 {
            let key = WebSocketHandshake.makeKey()
            let bytes = try #require(Data(base64Encoded: Data(key)))
            #expect(bytes.count == 16 && key.count == 24)
            seen.insert(key)
        }
        #expect(seen.count == 32)
    }
}
