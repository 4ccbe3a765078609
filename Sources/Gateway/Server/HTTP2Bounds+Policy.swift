import Core

extension HTTP2Bounds {
    /// The program's bounds with those an operator may set.
    init(_ bounds: Bounds.HTTP2) {
        self.init()
        concurrentStreams = UInt32(clamping: bounds.streamLimit)
        streamWindowBytes = UInt32(clamping: bounds.streamWindowBytes)
        connectionWindowBytes = UInt32(clamping: bounds.connectionWindowBytes)
        headerTableBytes = UInt32(clamping: bounds.headerTableBytes)
    }
}
