import CLinux
import Core
import HTTP1
import IO

private import Glibc

/// One GET over a connection of its own, waiting with poll(2) until a deadline: for queues that may block. Redirects
/// are not followed, and no connection goes anywhere but to the host of the URL.
struct DocumentFetch {
    private static let readBytes = 16_384

    private let address: FetchAddress
    private let deadline: Instant
    private let byteLimit: Int

    /// Fetches what `url` names. `timeout` bounds name lookup, connecting and reading together, except that the
    /// system's resolver cannot be interrupted and may hold the caller longer.
    static func run(
        _ url: String, timeout: Nanoseconds, byteLimit: Int = FixedBounds.keySetBytes
    ) throws(FetchFault) -> FetchedDocument {
        let deadline = EventLoop.readClocks().instant.advanced(by: timeout)
        let fetch = DocumentFetch(address: try FetchAddress(url), deadline: deadline, byteLimit: byteLimit)
        return try fetch.run()
    }

    private init(address: FetchAddress, deadline: Instant, byteLimit: Int) {
        self.address = address
        self.deadline = deadline
        self.byteLimit = byteLimit
    }

    private func run() throws(FetchFault) -> FetchedDocument {
        let endpoints: [SocketEndpoint]
        do throws(NameResolution.Failure) {
            endpoints = try NameResolution.endpoints(of: address.host, port: address.port)
        } catch {
            throw .nameUnresolved(error.message)
        }
        let descriptor = try connect(to: endpoints)
        defer { Sockets.closeDescriptor(descriptor) }
        try send(on: descriptor)
        return try receive(on: descriptor)
    }

    // MARK: Connection

    /// A connection to the first address that accepts one. Each gets an equal share of the time left, so that one that
    /// swallows packets does not use up all of it.
    private func connect(to endpoints: [SocketEndpoint]) throws(FetchFault) -> Int32 {
        var last = FetchFault.timedOut
        for (index, endpoint) in endpoints.enumerated() {
            let now = EventLoop.readClocks().instant
            let share = max(deadline.since(now), 0) / Int64(endpoints.count - index)
            do throws(FetchFault) {
                return try connect(to: endpoint, until: now.advanced(by: share))
            } catch {
                last = error
            }
        }
        throw last
    }

    private func connect(to endpoint: SocketEndpoint, until limit: Instant) throws(FetchFault) -> Int32 {
        let descriptor: Int32
        do throws(SystemError) {
            descriptor = try Sockets.connect(to: endpoint)
        } catch {
            throw .unreachable(error)
        }
        do throws(FetchFault) {
            try wait(for: POLLOUT, on: descriptor, until: limit)
            if let code = Sockets.storedError(of: descriptor) {
                throw .unreachable(SystemError(call: "connect \(endpoint)", code: code))
            }
            return descriptor
        } catch {
            Sockets.closeDescriptor(descriptor)
            throw error
        }
    }

    /// Returns when the descriptor has something to tell, be it an error that the next call will meet.
    private func wait(for events: Int32, on descriptor: Int32, until limit: Instant) throws(FetchFault) {
        while true {
            let left = limit.since(EventLoop.readClocks().instant)
            guard left > 0 else { throw .timedOut }
            let result = linux_poll(
                descriptor, Int16(truncatingIfNeeded: events), Int32(clamping: left / 1_000_000 + 1))
            if result > 0 { return }
            if result < 0, result != -Int(EINTR) {
                throw .unreachable(SystemError(call: "poll", code: Int32(truncatingIfNeeded: -result)))
            }
        }
    }

    private func send(on descriptor: Int32) throws(FetchFault) {
        let request =
            "GET \(address.target) HTTP/1.1\r\nHost: \(address.hostField)\r\n"
            + "Accept: application/jwk-set+json, application/json\r\nAccept-Encoding: identity\r\n"
            + "User-Agent: portcullis\r\nConnection: close\r\n\r\n"
        let bytes = Array(request.utf8)
        var sent = 0
        while sent < bytes.count {
            let result = unsafe bytes.withUnsafeBytes {
                unsafe linux_send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent)
            }
            if result >= 0 {
                sent += result
            } else if result == -Int(EAGAIN) {
                try wait(for: POLLOUT, on: descriptor, until: deadline)
            } else if result != -Int(EINTR) {
                throw .unreachable(SystemError(call: "send", code: Int32(truncatingIfNeeded: -result)))
            }
        }
    }

    // MARK: Answer

    private func receive(on descriptor: Int32) throws(FetchFault) -> FetchedDocument {
        var bytes: [UInt8] = []
        let head = try receiveHead(on: descriptor, into: &bytes)
        var document: [UInt8]
        switch head.framing {
        case .none: document = []
        case .length(let length):
            guard let length = Int(exactly: length), length <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            while bytes.count < length {
                guard try receiveMore(on: descriptor, into: &bytes) else { throw .cutShort }
            }
            document = bytes
            document.removeLast(bytes.count - length)
        case .untilClose:
            repeat {
                guard bytes.count <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            } while try receiveMore(on: descriptor, into: &bytes)
            document = bytes
        case .chunked: document = try receiveChunks(on: descriptor, beginning: bytes)
        }
        return FetchedDocument(bytes: document, lifetime: FetchedDocument.lifetime(of: head))
    }

    /// Reads the final head; what was received behind it is left in `bytes`. Interim answers (1xx) are skipped.
    private func receiveHead(on descriptor: Int32, into bytes: inout [UInt8]) throws(FetchFault) -> ResponseHead {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        while true {
            switch parser.parse(bytes.span, requestMethod: .get, into: &head) {
            case .incomplete:
                guard try receiveMore(on: descriptor, into: &bytes) else { throw .cutShort }
            case .malformed(let fault): throw .headMalformed(fault)
            case .complete(let byteCount):
                bytes.removeFirst(byteCount)
                if head.status == 200 { return head }
                guard head.status < 200 else { throw .status(head.status) }
            }
        }
    }

    private func receiveChunks(on descriptor: Int32, beginning: [UInt8]) throws(FetchFault) -> [UInt8] {
        var decoder = ChunkedDecoder()
        var document: [UInt8] = []
        var bytes = beginning
        while true {
            var isWhole = false
            var index = 0
            do throws(FramingFault) {
                while !isWhole, let piece = try decoder.next(bytes.span, from: &index) {
                    switch piece {
                    case .body(let range): document.append(contentsOf: bytes.span.extracting(range))
                    case .end: isWhole = true
                    }
                }
            } catch {
                throw .chunksMalformed(error)
            }
            guard document.count <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            if isWhole { return document }
            bytes.removeAll(keepingCapacity: true)
            guard try receiveMore(on: descriptor, into: &bytes) else { throw .cutShort }
        }
    }

    /// Appends what comes next; false at the end of the stream.
    private func receiveMore(on descriptor: Int32, into bytes: inout [UInt8]) throws(FetchFault) -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.readBytes)
        while true {
            // Also before the first read: an issuer that never stops sending a little must not outlast the deadline.
            try wait(for: POLLIN, on: descriptor, until: deadline)
            switch unsafe buffer.withUnsafeMutableBytes({ unsafe Sockets.read(descriptor, into: $0) }) {
            case .bytes(let count):
                bytes.append(contentsOf: buffer.span.extracting(0..<count))
                return true
            case .endOfStream: return false
            case .wouldBlock: continue
            case .failed(let code): throw .unreachable(SystemError(call: "recv", code: code))
            }
        }
    }
}
