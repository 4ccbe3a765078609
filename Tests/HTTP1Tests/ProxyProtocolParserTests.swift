import Core
import HTTP1
import Testing

@Suite struct ProxyProtocolParserTests {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var hex: String
        var verdict: String
        var testDescription: String { name }
        var bytes: [UInt8] { decoded(hex) }
    }

    static let cases = (try? Vectors.json("proxy-protocol.json", as: [Case].self)) ?? []

    static func decoded(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { $0.hexDigit }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static func endpoint(_ text: String) -> SocketEndpoint? { SocketEndpoint(text) }

    @Test func `the cases are there`() { #expect(Self.cases.count == 18) }

    @Test(arguments: cases) func `a header ends as its verdict says, with data behind it or not`(_ header: Case) {
        let bytes = header.bytes
        let progress = ProxyProtocolParser.parse(bytes.span)
        if header.verdict == "reject" {
            // A header that ends too soon is one for which more must come; the end of the connection decides.
            let isCut = header.name.contains("cut after")
            let isOther = header.name.contains("lower case")
            #expect(progress == (isCut ? .incomplete : isOther ? .absent : .malformed))
        } else {
            guard case .complete(_, let count) = progress else {
                Issue.record("\(progress)")
                return
            }
            #expect(count == bytes.count)
            #expect(ProxyProtocolParser.parse((bytes + Array("GET / HTTP/1.1\r\n".utf8)).span) == progress)
            for cut in 0..<bytes.count {
                #expect(ProxyProtocolParser.parse(bytes.span.extracting(0..<cut)) == .incomplete)
            }
        }
    }

    static let sources = [
        ("captured: v1 TCP4", "127.0.0.1:49114"), ("captured: v1 TCP6", "[::1]:36342"),
        ("captured: v2 PROXY TCP4", "127.0.0.1:37124"), ("captured: v2 PROXY TCP6", "[::1]:46532"),
        ("captured: v2 as above plus AUTHORITY=localhost", "127.0.0.1:53788"),
    ]

    @Test(arguments: sources) func `the source is the client`(_ name: String, _ source: String) throws {
        let header = try #require(Self.cases.first { $0.name == name })
        let expected = try #require(Self.endpoint(source))
        #expect(
            ProxyProtocolParser.parse(header.bytes.span)
                == .complete(source: expected, byteCount: header.bytes.count))
    }

    static let unknown = [
        "captured: v2 LOCAL (connection came over a UNIX socket)", "v2 LOCAL with addresses", "v1 UNKNOWN with text",
    ]

    @Test(arguments: unknown) func `a header without a client has no source`(_ name: String) throws {
        let header = try #require(Self.cases.first { $0.name == name })
        #expect(
            ProxyProtocolParser.parse(header.bytes.span) == .complete(source: nil, byteCount: header.bytes.count))
    }

    static let malformed = [
        "PROXY TCP4 1.2.3.4 5.6.7.8 80 443\n", "PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 080 443\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 80 65536\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 80 443 \r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 80 443\r\n", "PROXY TCP6 1.2.3.4 5.6.7.8 80 443\r\n",
        "PROXY TCP5 ::1 ::1 80 443\r\n",
        "PROXY \r\n", "PROXY  TCP4 1.2.3.4 5.6.7.8 80 443\r\n", "PROXY TCP4\t1.2.3.4 5.6.7.8 80 443\r\n",
        "PROXY TCP6 ::1%eth0 ::1 80 443\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\r\n", "PROXY UNKNOWN\0\r\n",
    ]

    @Test(arguments: malformed) func `a line that is not exactly version 1 is malformed`(_ line: String) {
        #expect(ProxyProtocolParser.parse(bytes(line).span) == .malformed)
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", "P\u{0}", "proxy TCP4", "\r\n\r\n\0x"])
    func `bytes that begin no header leave it absent`(_ text: String) {
        let progress = ProxyProtocolParser.parse(bytes(text).span)
        #expect(progress == .absent)
    }

    @Test func `a wrong checksum is malformed wherever a bit is flipped`() throws {
        let header = try #require(Self.cases.first { $0.name.contains("CRC32C") })
        for index in 16..<header.bytes.count {
            var bytes = header.bytes
            bytes[index] ^= 0x40
            let progress = ProxyProtocolParser.parse(bytes.span)
            // Flipped in the checksum's own type, the TLV is another one and nothing is checked.
            if index == 28 { continue }
            #expect(progress == .malformed, "byte \(index)")
        }
    }

    @Test func `a header of UNIX addresses or of none has no source`() {
        let start = Self.decoded("0d0a0d0a000d0a515549540a21")
        let unspecified = start + [0x00, 0, 0]
        #expect(ProxyProtocolParser.parse(unspecified.span) == .complete(source: nil, byteCount: 16))
        let unix = start + [0x31, 0, 216] + [UInt8](repeating: 0x61, count: 216)
        #expect(ProxyProtocolParser.parse(unix.span) == .complete(source: nil, byteCount: 232))
        #expect(ProxyProtocolParser.parse((start + [0x31, 0, 215]).span) == .malformed)
    }

    @Test func `TLVs must fill the header exactly`() {
        let start = Self.decoded("0d0a0d0a000d0a515549540a2111")
        let addresses = Self.decoded("7f0000017f000001910447e2")
        for tail in ["04", "0400", "040002aa", "04000100ee04"] {
            let tlvs = Self.decoded(tail)
            let bytes = start + [0, UInt8(12 + tlvs.count)] + addresses + tlvs
            #expect(ProxyProtocolParser.parse(bytes.span) == .malformed)
        }
        #expect(ProxyProtocolParser.parse((start + [0, 11] + addresses).span) == .malformed)
    }
}
