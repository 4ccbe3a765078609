import Crypto
import Testing

/// Two streams whose bytes pass through the test's hands.
final class RelayLink {
    let outer = SocketPair()
    let inner = SocketPair()
    let client: TLSStream
    let server: TLSStream

    init(_ clientContext: TLSClientContext, _ serverContext: TLSServerContext) throws {
        client = try TLSStream(connecting: clientContext, to: .host("localhost"), descriptor: outer.first)
        server = try TLSStream(accepting: serverContext, descriptor: inner.second)
    }

    /// What the client has written, and the server has not seen yet.
    func takeFromClient() -> [UInt8] { outer.receive(on: outer.second) }

    func giveToServer(_ bytes: some Collection<UInt8>) { inner.send(bytes, on: inner.first) }

    /// Both sides complete, each byte given by itself, or the test fails.
    func handshakeByteByByte() throws {
        var outcomes = (client.handshake(), server.handshake())
        while outcomes.0.isUnfinished || outcomes.1.isUnfinished {
            let (up, down) = (takeFromClient(), inner.receive(on: inner.first))
            try #require(!up.isEmpty || !down.isEmpty, "nothing moves")
            for byte in up {
                giveToServer([byte])
                outcomes.1 = server.handshake()
            }
            for byte in down {
                outer.send([byte], on: outer.second)
                outcomes.0 = client.handshake()
            }
        }
        try #require(outcomes == (.complete, .complete))
    }
}
