import Core
import Crypto
import Dispatch
import Synchronization
import Testing

@testable import TokenService

struct AuditTrailTests {
    /// Remembers what it is told; refuses the first deliveries.
    private final class RecordingTransport: AuditTransport {
        struct Told {
            var lines: [String] = []
            var deliveries: [(content: [UInt8], fields: [(name: String, value: String)])] = []
            var complaints: [String] = []
            var refusals = 0
        }
        let told = Mutex(Told())

        init(refusals: Int = 0) { told.withLock { $0.refusals = refusals } }

        func write(_ line: [UInt8]) { told.withLock { $0.lines.append(String(decoding: line, as: UTF8.self)) } }

        func deliver(_ content: [UInt8], fields: [(name: String, value: String)]) -> String? {
            told.withLock {
                $0.deliveries.append((content, fields))
                if $0.refusals == 0 { return nil }
                $0.refusals -= 1
                return "status 500"
            }
        }

        func complain(_ message: String) { told.withLock { $0.complaints.append(message) } }
    }

    private static let now = WallTime(seconds: 1_800_000_000)

    private static func event(_ number: Int) -> AuditEvent {
        let caller = ManagementCaller(
            method: "api_key", credential: "admin", subject: "ops", address: IPAddress(v4: 0x7F00_0001), requestID: "rq_1",
            grantsAnything: false)
        return AuditEvent(
            name: "api_key.updated", objectType: "api_key", objectID: "key_\(number)", objectName: "ci", realm: "rl_1",
            changed: ["name"], caller: caller, at: now)
    }

    private func trail(_ transport: RecordingTransport, attempts: Int = 3, webhook: Bool = true) -> AuditTrail {
        let trail = AuditTrail(clock: { Self.now }, pause: .milliseconds(1))
        trail.adopt(
            transport: transport, webhook: webhook ? WebhookSignature(secret: Array("whsec_c2VjcmV0".utf8)) : nil, attempts: attempts)
        return trail
    }

    @Test func `an event is one line of JSON that says who did what`() throws {
        let transport = RecordingTransport()
        let trail = trail(transport, webhook: false)
        trail.record([Self.event(1)])
        let line = try #require(transport.told.withLock { $0.lines.first })
        let event = try JSONNode.parse(line.utf8.span)
        #expect(line.hasSuffix("}\n") && line.count { $0.isNewline } == 1)
        for (pointer, expected) in [
            ("/event", "api_key.updated"), ("/time", "2027-01-15T08:00:00.000Z"), ("/object/id", "key_1"), ("/object/name", "ci"),
            ("/realm_id", "rl_1"), ("/changed/0", "name"), ("/actor/credential", "admin"), ("/actor/subject", "ops"),
            ("/actor/address", "127.0.0.1"), ("/actor/method", "api_key"), ("/request_id", "rq_1"),
        ] {
            guard case .string(let text)? = event.resolve(pointer: pointer)?.value else {
                Issue.record("nothing at \(pointer)")
                continue
            }
            #expect(text == expected)
        }
        #expect(transport.told.withLock { $0.deliveries.isEmpty })
    }

    @Test func `a delivery is signed over id, time and content`() throws {
        let transport = RecordingTransport()
        let trail = trail(transport)
        trail.record([Self.event(1)])
        trail.flush()
        let (content, fields) = try #require(transport.told.withLock { $0.deliveries.first })
        let named = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
        #expect(named["Webhook-Timestamp"] == "1800000000")
        let id = try #require(named["Webhook-Id"])
        let code = OpenSSLCryptography().hmacSHA256(
            key: Array("secret".utf8).span, (Array("\(id).1800000000.".utf8) + content).span)
        let bytes = Hex.decode(code.hex.utf8.span) ?? []
        let text = Base64URL.encode(bytes.span).replacing("-", with: "+").replacing("_", with: "/")
        #expect(named["Webhook-Signature"] == "v1,\(text)=")
    }

    @Test func `what is not taken is tried again under the same id, and others wait their turn`() {
        let transport = RecordingTransport(refusals: 2)
        let trail = trail(transport)
        trail.record([Self.event(1), Self.event(2)])
        trail.flush()
        let ids = transport.told.withLock { $0.deliveries.map { $0.fields.first?.value ?? "" } }
        #expect(ids.count == 4 && Set(ids[..<3]).count == 1 && ids[3] != ids[0])
        #expect(trail.dropped == 0)
    }

    @Test func `after its attempts an event is given up, and said to be`() {
        let transport = RecordingTransport(refusals: 3)
        let trail = trail(transport)
        trail.record([Self.event(1), Self.event(2)])
        trail.flush()
        #expect(trail.dropped == 1)
        #expect(transport.told.withLock { $0.complaints.count == 1 && $0.deliveries.count == 4 && $0.lines.count == 2 })
    }

    @Test func `no more wait than there is room for`() {
        let transport = RecordingTransport()
        let trail = trail(transport)
        trail.record((0..<AuditTrail.backlogLimit + 5).map(Self.event))
        trail.flush()
        #expect(trail.dropped == 5)
        #expect(transport.told.withLock { $0.lines.count == AuditTrail.backlogLimit + 5 })
    }
}
