import Core
import Crypto
import HTTP1
import IO

private import Glibc

/// One request over a connection of its own, waiting with poll(2) until a deadline: for queues that may block. Redirects
/// are not followed, and no connection goes anywhere but to the host of the URL.
struct DocumentFetch {
    private let request: FetchRequest
    private let address: FetchAddress
    private let security: TLSClientContext?
    private let deadline: Instant
    private let byteLimit: Int

    /// Fetches the key set, or what leads to it, that `url` names.
    static func run(
        _ url: String, security: TLSClientContext? = nil, timeout: Nanoseconds, byteLimit: Int = FixedBounds.keySetBytes
    ) throws(FetchFault) -> FetchedDocument {
        let request = FetchRequest(url: url, accept: "application/jwk-set+json, application/json")
        return try run(request, security: security, timeout: timeout, byteLimit: byteLimit)
    }

    /// Sends the request and gives the answer's content. `timeout` bounds name lookup, connecting and reading together,
    /// except that the system's resolver cannot be interrupted and may hold the caller longer.
    /// - Parameter security: what a connection for an https URL is made from.
    static func run(
        _ request: FetchRequest, security: TLSClientContext?, timeout: Nanoseconds, byteLimit: Int
    ) throws(FetchFault) -> FetchedDocument {
        let deadline = EventLoop.readClocks().instant.advanced(by: timeout)
        let address = try FetchAddress(request.url)
        let fetch = DocumentFetch(
            request: request, address: address, security: security, deadline: deadline, byteLimit: byteLimit)
        return try fetch.run()
    }

    private init(
        request: FetchRequest, address: FetchAddress, security: TLSClientContext?, deadline: Instant, byteLimit: Int
    ) {
        self.request = request
        self.address = address
        self.security = security
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
        var connection = FetchConnection(owning: try connect(to: endpoints), until: deadline)
        if address.isSecure {
            guard let security else { throw .insecure("nobody vouches for the server") }
            try connection.secure(with: security, as: TLSServerName(address.host))
        }
        try connection.send(request.message(to: address))
        return try receive(on: connection)
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
            try FetchConnection.wait(for: POLLOUT, on: descriptor, until: limit)
            if let code = Sockets.storedError(of: descriptor) {
                throw .unreachable(SystemError(call: "connect \(endpoint)", code: code))
            }
            return descriptor
        } catch {
            Sockets.closeDescriptor(descriptor)
            throw error
        }
    }

    // MARK: Answer

    private func receive(on connection: borrowing FetchConnection) throws(FetchFault) -> FetchedDocument {
        var bytes: [UInt8] = []
        let head = try receiveHead(on: connection, into: &bytes)
        var document: [UInt8]
        switch head.framing {
        case .none: document = []
        case .length(let length):
            guard let length = Int(exactly: length), length <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            while bytes.count < length {
                guard try connection.receive(into: &bytes) else { throw .cutShort }
            }
            document = bytes
            document.removeLast(bytes.count - length)
        case .untilClose:
            repeat {
                guard bytes.count <= byteLimit else { throw .tooLarge(byteLimit: byteLimit) }
            } while try connection.receive(into: &bytes)
            document = bytes
        case .chunked: document = try receiveChunks(on: connection, beginning: bytes)
        }
        return FetchedDocument(bytes: document, lifetime: FetchedDocument.lifetime(of: head))
    }

    /// Reads the final head; what was received behind it is left in `bytes`. Interim answers (1xx) are skipped.
    private func receiveHead(on connection: borrowing FetchConnection, into bytes: inout [UInt8]) throws(FetchFault) -> ResponseHead {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        while true {
            switch parser.parse(bytes.span, requestMethod: .get, into: &head) {
            case .incomplete:
                guard try connection.receive(into: &bytes) else { throw .cutShort }
            case .malformed(let fault): throw .headMalformed(fault)
            case .complete(let byteCount):
                bytes.removeFirst(byteCount)
                if request.acceptedStatuses.contains(head.status) { return head }
                guard head.status < 200 else { throw .status(head.status) }
            }
        }
    }

    private func receiveChunks(on connection: borrowing FetchConnection, beginning: [UInt8]) throws(FetchFault) -> [UInt8] {
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
            guard try connection.receive(into: &bytes) else { throw .cutShort }
        }
    }
}
