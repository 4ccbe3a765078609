import Core
import Testing

@testable import TokenService

struct WebhookSignatureTests {
    @Test func `the example of the specification`() {
        // Standard Webhooks, "Signature scheme", and the test vector of its reference libraries.
        let signature = WebhookSignature(secret: Array("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".utf8))
        let content = Array(#"{"test": 2432232314}"#.utf8)
        let fields = signature.fields(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", content: content, at: WallTime(seconds: 1_614_265_330))
        #expect(fields.map(\.name) == ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
        #expect(
            fields.map(\.value)
                == ["msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="])
    }

    @Test func `a secret that is no base64 is taken as it is`() {
        let time = WallTime(seconds: 1)
        let plain = WebhookSignature(secret: Array("whsec_###".utf8)).fields(id: "a", content: [], at: time)
        let other = WebhookSignature(secret: Array("whsec_##".utf8)).fields(id: "a", content: [], at: time)
        #expect(plain.last?.value != other.last?.value)
    }
}
