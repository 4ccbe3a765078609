import Core

/// A client's connection as the worker's list knows it.
protocol ClientConnection: SocketChannel {
    /// The other end of the socket, whatever a PROXY header says.
    var peerAddress: IPAddress { get }
    /// Where it was accepted.
    var listener: ListenerSocket { get }
    /// The gateway drains: go as soon as nothing is under way.
    func drain()
    /// The process ends: what is under way cannot be finished, and must not look finished.
    func cut()
}
