import Core
import Foundation
import HTTP1
import Testing

@Suite struct ConformanceTests {
    struct SmugglingFile: Decodable { var cases: [SmugglingCase] }

    struct SmugglingCase: Decodable, CustomTestStringConvertible {
        var id: String
        var title: String
        var verdict: String
        var raw_b64: Data?
        var testDescription: String { "\(id) \(title)" }

        var raw: [UInt8] {
            // The one case without bytes is made: a field of 200,000 bytes.
            raw_b64.map(Array.init)
                ?? bytes(
                    "GET /s HTTP/1.1\r\nHost: gw.test\r\nX: " + String(repeating: "a", count: 200_000) + "\r\n\r\n")
        }
    }

    /// The cases that may be refused or mended, and what happens here.
    static let passedOn: Set<String> = ["S31", "S47", "S67", "S85", "S87"]

    static let smuggling = (try? Vectors.json("smuggling.json", as: SmugglingFile.self))?.cases ?? []

    @Test func `the smuggling cases are there`() { #expect(Self.smuggling.count == 45) }

    @Test(arguments: smuggling) func `a smuggling trick ends as its verdict says`(_ trick: SmugglingCase) throws {
        let stream = RequestStream(trick.raw)
        switch trick.verdict {
        case "accept":
            #expect(stream.ending == .clean)
            #expect(stream.requests.count == 1)
        case "reject":
            #expect(stream.requests.isEmpty)
            #expect(stream.ending.isRefused)
        default:
            guard !Self.passedOn.contains(trick.id) else {
                #expect(stream.ending == .clean)
                #expect(stream.requests.count == 1)
                return
            }
            #expect(stream.ending.isRefused)
            #expect(stream.requests.count == (trick.id == "S83" ? 1 : 0))
        }
    }

    struct GunicornCase: Decodable, CustomTestStringConvertible {
        var name: String
        var kind: String
        var raw_base64: Data
        var testDescription: String { name }
    }

    static let gunicorn = (try? Vectors.json("gunicorn/requests.json", as: [GunicornCase].self)) ?? []

    /// Valid to gunicorn, refused here, and as what.
    static let stricterThanGunicorn = [
        // Host is `0.0.0.0=5000`, which gunicorn does not look at.
        "valid/002": "host_invalid", "valid/003": "host_invalid",
        // A fragment is no part of a target.
        "valid/005": "target_invalid",
        // Codings that are not chunked: the gateway would have to decode or to name them.
        "valid/025": "transfer_encoding_invalid", "valid/025_line": "transfer_coding_not_supported",
        "valid/029": "transfer_encoding_invalid", "valid/030": "transfer_encoding_invalid",
        "valid/rfc9112_smuggle_gzip_chunked_01": "transfer_coding_not_supported",
        "valid/rfc9112_smuggle_te_identity_chunked_01": "transfer_coding_not_supported",
        // Userinfo in an http URI is an error (RFC 9110 §4.2.4).
        "valid/rfc9112_target_absolute_userinfo_01": "target_invalid",
        // No tunnels.
        "valid/rfc9112_target_authority_connect_01": "method_not_supported",
        "valid/rfc9112_target_authority_ipv6_01": "method_not_supported",
    ]

    /// Where reading ends otherwise than gunicorn's verdict says, and how.
    static let otherThanGunicorn: [String: StreamEnding] = [
        // Cut in the middle: more may come.
        "invalid/001": .cut, "invalid/rfc9112_chunked_missing_final_crlf_01": .cut,
        // The file holds less content than its Content-Length says.
        "valid/099": .cut,
        // A method may be any token.
        "invalid/003c": .clean,
        // Gunicorn was run with limits of a few bytes and fields.
        "invalid/007": .clean, "invalid/017": .clean,
        // Framing fields in a trailer section have no effect and are dropped.
        "invalid/rfc9110_trailer_forbidden_cl_01": .clean, "invalid/rfc9110_trailer_forbidden_te_01": .clean,
    ]

    @Test func `the gunicorn cases are there`() { #expect(Self.gunicorn.count == 84) }

    @Test(arguments: gunicorn) func `gunicorn's verdict holds but for named exceptions`(_ test: GunicornCase) {
        let stream = RequestStream(Vectors.addingHost(Array(test.raw_base64)))
        if let reason = Self.stricterThanGunicorn[test.name] {
            #expect(stream.ending == .refused(reason))
        } else if let ending = Self.otherThanGunicorn[test.name] {
            #expect(stream.ending == ending)
            let passing = stream.requests.flatMap { $0.trailers.fields }.filter { !$0.isDropped }
            #expect(passing.isEmpty)
        } else if test.kind == "valid" {
            #expect(stream.ending == .clean)
            #expect(!stream.requests.isEmpty)
        } else {
            #expect(stream.ending.isRefused)
        }
    }
}
