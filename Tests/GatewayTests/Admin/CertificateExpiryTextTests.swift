import Core
import Testing

@testable import Gateway

@Suite struct CertificateExpiryTextTests {
    private static let certificates = [
        CertificateExpiry(
            user: "listener 127.0.0.1:8443", source: "a.pem", subject: "CN=a", notAfter: WallTime(seconds: 1_800_000_000)),
        CertificateExpiry(
            user: "listener 127.0.0.1:8443", source: "a.pem", subject: "CN=a", notAfter: WallTime(seconds: 1_800_000_000)),
        CertificateExpiry(
            user: "upstream \"x\"", source: "env:B", subject: "CN=b", notAfter: WallTime(seconds: 1_900_000_000)),
    ]

    @Test func `one sample for each certificate and user`() {
        var page = PrometheusText()
        CertificateExpiryText.append(Self.certificates, to: &page)
        let lines = String(decoding: page.bytes, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
        let name = "portcullis_certificate_expiry_timestamp_seconds"
        #expect(
            lines == [
                "\(name){used_by=\"listener 127.0.0.1:8443\",source=\"a.pem\"} 1800000000",
                "\(name){used_by=\"upstream \\\"x\\\"\",source=\"env:B\"} 1900000000",
            ])
    }

    @Test func `the status page lists them`() throws {
        var out: [UInt8] = []
        CertificateExpiryText.append(json: Self.certificates, to: &out)
        let node = try JSONNode.parse(out.span)
        guard case .array(let elements) = node.value else {
            Issue.record("no list")
            return
        }
        #expect(elements.count == 3)
        guard case .string(let user) = elements.last?["used_by"]?.value,
            case .string(let moment) = elements.last?["expires_at"]?.value
        else {
            Issue.record("members are missing")
            return
        }
        #expect(user == "upstream \"x\"")
        #expect(WallTime(rfc3339: moment) == WallTime(seconds: 1_900_000_000))
    }
}
