import CLinux
import Core
import HTTP1
import IO

private import Glibc

/// One GET over a connection of its own, waiting with poll(2) until a deadline: for queues that may block.
struct DocumentFetch {
    let address: FetchAddress
    let deadline: Instant
    let byteLimit: Int

    /// Fetches the document, from the first of the host's addresses that accepts a connection.
    func run() throws(FetchFault) -> FetchedDocument {
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

    /// Each address gets an equal share of the time left, so that one that swallows packets does not use up all of it.
    private func connect(to endpoints: [SocketEndpoint]) throws(FetchFault) -> Int32 {
        var last = FetchFault.timedOut
        for (index, endpoint) in endpoints.enumerated() {
            let share = try remaining() / Int64(endpoints.count - index)
            do throws(SystemError) {
                let descriptor = try Sockets.connect(to: endpoint)
                guard wait(for: POLLOUT, on: descriptor, atMost: share) else {
                    Sockets.closeDescriptor(descriptor)
                    last = .timedOut
                    continue
                }
                if let code = Sockets.storedError(of: descriptor) {
                    Sockets.closeDescriptor(descriptor)
                    throw SystemError(call: "connect \(endpoint)", code: code)
                }
                return descriptor
            } catch {
                last = .unreachable(error)
            }
        }
        throw last
    }

    private func remaining() throws(FetchFault) -> Nanoseconds {
        let left = deadline.since(Instant(nanoseconds: linux_monotonic_ns()))
        guard left > 0 else { throw .timedOut }
        return left
    }

    private func wait(for events: Int32, on descriptor: Int32, atMost span: Nanoseconds) -> Bool {
        let milliseconds = Int32(clamping: max(span, 0) / 1_000_000 + 1)
        while true {
            let result = linux_poll(descriptor, Int16(truncatingIfNeeded: events), milliseconds)
            if result == -Int(EINTR) { continue }
            return result > 0
        }
    }

    private func send(on descriptor: Int32) throws(FetchFault) {
        let request =
            "GET \(address.target) HTTP/1.1\r\nHost: \(address.hostField)\r\nAccept: application/jwk-set+json, "
            + "application/json\r\nUser-Agent: portcullis\r\nConnection: close\r\n\r\n"
        let bytes = Array(request.utf8)
        var sent = 0
        while sent < bytes.count {
            let start = sent
            let result = unsafe bytes.withUnsafeBytes {
                unsafe linux_send(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
            }
            if result >= 0 {
                sent += result
            } else if result == -Int(EAGAIN) {
                guard wait(for: POLLOUT, on: descriptor, atMost: try remaining()) else { throw .timedOut }
            } else if result != -Int(EINTR) {
                throw .unreachable(SystemError(call: "send", code: Int32(truncatingIfNeeded: -result)))
            }
        }
    }

    // MARK: Answer

    private func receive(on descriptor: Int32) throws(FetchFault) -> FetchedDocument {
        var bytes: [UInt8] = []
        let head = try receiveHead(on: descriptor, into: &bytes)
        let document = FetchedDocument(bytes: [], lifetime: FetchedDocument.lifetime(of: head))
        switch head.framing {
        case .none: return document
        case .length(let length):
            guard length <= UInt64(byteLimit) else { throw .tooLarge(byteLimit: byteLimit) }
            while bytes.count < Int(length) {
                guard try receiveMore(on: descriptor, into: &bytes) else { throw .cutShort }
            }
            return FetchedDocument(bytes: Array(bytes.prefix(Int(length))), lifetime: document.lifetime)
        case .untilClose:
            repeat {
                guard bytes.count <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            } while try receiveMore(on: descriptor, into: &bytes)
            return FetchedDocument(bytes: bytes, lifetime: document.lifetime)
        case .chunked:
            return FetchedDocument(
                bytes: try receiveChunks(on: descriptor, beginning: bytes), lifetime: document.lifetime)
        }
    }

    /// Reads the final head; what was received behind it is left in `bytes`. Interim answers are skipped.
    private func receiveHead(on descriptor: Int32, into bytes: inout [UInt8]) throws(FetchFault) -> ResponseHead {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        while true {
            switch parser.parse(bytes.span, requestMethod: .get, into: &head) {
            case .incomplete:
                guard try receiveMore(on: descriptor, into: &bytes) else { throw .cutShort }
            case .malformed(let fault): throw .malformed(fault.reason.description)
            case .complete(let byteCount):
                bytes.removeFirst(byteCount)
                if head.status >= 200 {
                    guard head.status == 200 else { throw .status(head.status) }
                    return head
                }
                head.removeAll()
            }
        }
    }

    private func receiveChunks(on descriptor: Int32, beginning: [UInt8]) throws(FetchFault) -> [UInt8] {
        var decoder = ChunkedDecoder()
        var document: [UInt8] = []
        var bytes = beginning
        while true {
            var index = 0
            do throws(FramingFault) {
                while let piece = try decoder.next(bytes.span, from: &index) {
                    switch piece {
                    case .body(let range): document.append(contentsOf: bytes[range])
                    case .end: return document
                    }
                }
            } catch {
                throw .malformed(error.reason.description)
            }
            guard document.count <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            bytes.removeAll(keepingCapacity: true)
            guard try receiveMore(on: descriptor, into: &bytes) else { throw .cutShort }
        }
    }

    /// Appends what comes next; false at the end of the stream.
    private func receiveMore(on descriptor: Int32, into bytes: inout [UInt8]) throws(FetchFault) -> Bool {
        while true {
            guard wait(for: POLLIN, on: descriptor, atMost: try remaining()) else { throw .timedOut }
            var buffer = [UInt8](repeating: 0, count: 16_384)
            let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe Sockets.read(descriptor, into: $0) }
            switch outcome {
            case .bytes(let count):
                bytes.append(contentsOf: buffer.prefix(count))
                return true
            case .endOfStream: return false
            case .wouldBlock: continue
            case .failed(let code): throw .unreachable(SystemError(call: "recv", code: code))
            }
        }
    }
}
