import Core

@testable import HTTP2

/// A client and a server session, joined by arrays.
final class Wire {
    let client: ClientPeer
    let server: ServerPeer
    /// How the bytes are cut on their way; whole when nil.
    var piece: Int?

    init(
        clientLimits: HTTP2Bounds = HTTP2Bounds(), serverLimits: HTTP2Bounds = HTTP2Bounds(),
        acceptsWebSockets: Bool = false, piece: Int? = nil
    ) {
        client = ClientPeer(limits: clientLimits)
        server = ServerPeer(limits: serverLimits, acceptsWebSockets: acceptsWebSockets)
        self.piece = piece
    }

    /// Carries bytes until neither side has any.
    func settle() {
        while true {
            let (up, down) = (client.take(), server.take())
            if up.isEmpty, down.isEmpty { return }
            for part in parts(up) { server.receive(part) }
            for part in parts(down) { client.receive(part) }
        }
    }

    private func parts(_ bytes: [UInt8]) -> [[UInt8]] {
        guard let piece else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: piece).map { Array(bytes[$0..<min($0 + piece, bytes.count)]) }
    }
}
