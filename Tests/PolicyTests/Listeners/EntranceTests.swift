import Core
import Testing

@testable import Policy

/// Which listener a request comes in by, and what that one makes of it.
@Suite struct EntranceTests {
    static func listener(
        _ port: UInt16, tls certificates: ListenerTLSConfiguration.ClientCertificates? = nil, redirect: Bool = false
    ) -> ListenerConfiguration {
        var listener = ListenerConfiguration(
            address: SocketEndpoint(address: IPAddress(v4: 0x7F00_0001), port: port), proxyProtocol: nil,
            position: SourcePosition(line: 1, column: 1))
        if let certificates {
            listener.tls = ListenerTLSConfiguration(certificates: [], position: SourcePosition(line: 1, column: 1))
            listener.tls?.clientCertificates = certificates
        }
        if redirect { listener.redirect = HTTPSRedirect(host: nil, port: 443) }
        return listener
    }

    static let listeners = [listener(80, redirect: true), listener(81), listener(443, tls: .optional), listener(444, tls: .require)]

    static let places: [(port: UInt16?, isSecure: Bool, index: Int, isExact: Bool)] = [
        (80, false, 0, true), (81, false, 1, true), (81, true, 1, true), (444, false, 3, true), (9, false, 1, false),
        (9, true, 2, false), (nil, false, 1, false), (nil, true, 2, false),
    ]

    @Test(arguments: places)
    func `the port decides, then what the client speaks`(port: UInt16?, isSecure: Bool, index: Int, isExact: Bool) throws {
        let entrance = try #require(Entrance(Self.listeners, port: port, isSecure: isSecure))
        #expect(entrance.index == index && entrance.isExact == isExact)
    }

    @Test func `of listeners that all speak something else none fits`() {
        #expect(Entrance([Self.listener(81)], port: 9, isSecure: true) == nil)
        #expect(Entrance([Self.listener(443, tls: .require)], port: nil, isSecure: false) == nil)
        #expect(Entrance([], port: 80, isSecure: false) == nil)
        // A redirect is better than nothing.
        #expect(Entrance([Self.listener(80, redirect: true)], port: 9, isSecure: false)?.index == 0)
    }

    static func verdict(_ port: UInt16, _ isSecure: Bool, _ certificate: Entrance.Certificate) throws -> String {
        switch try #require(Entrance(listeners, port: port, isSecure: isSecure)).verdict(certificate) {
        case .served: "served"
        case .refused(let denial): denial.reason
        case .redirected: "redirected"
        case .noConnection: "no connection"
        }
    }

    static let verdicts: [(UInt16, Bool, Entrance.Certificate, String)] = [
        (80, false, .none, "redirected"), (80, true, .none, "no connection"), (81, false, .none, "served"),
        (443, false, .none, "plain_http_on_tls_port"), (443, true, .none, "served"), (443, true, .good, "served"),
        (443, true, .bad("expired"), "no connection"), (444, true, .none, "no connection"), (444, true, .good, "served"),
        (444, true, .bad("expired"), "no connection"),
    ]

    static let versions: [(protocols: [WireProtocol], isSecure: Bool, version: WireProtocol?, expected: String)] = [
        ([.http2], false, .http11, "http2_required"), ([.http2], false, .http2, "served"), ([.http2], false, nil, "served"),
        ([.http11], false, .http2, "version_not_supported"), ([.http11], false, .http11, "served"),
        ([.http2, .http11], false, .http11, "served"), ([.http2], true, .http11, "no connection"),
        ([.http2], true, .http2, "served"), ([.http2], true, nil, "served"), ([.http11], true, .http2, "served"),
    ]

    @Test(arguments: versions)
    func `a listener serves the versions it lists`(
        protocols: [WireProtocol], isSecure: Bool, version: WireProtocol?, expected: String
    ) throws {
        var listener = Self.listener(80, tls: isSecure ? ListenerTLSConfiguration.ClientCertificates.none : nil)
        listener.protocols = protocols
        var entrance = try #require(Entrance([listener], port: 80, isSecure: isSecure))
        entrance.version = version
        let verdict =
            switch entrance.verdict(.none) {
            case .served: "served"
            case .refused(let denial): denial.reason
            case .redirected: "redirected"
            case .noConnection: "no connection"
            }
        #expect(verdict == expected)
    }

    @Test(arguments: verdicts)
    func `a listener speaks what it speaks`(
        port: UInt16, isSecure: Bool, certificate: Entrance.Certificate, expected: String
    ) throws {
        #expect(try Self.verdict(port, isSecure, certificate) == expected)
    }
}
