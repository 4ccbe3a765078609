import COpenSSL
import Core
import Crypto
import Glibc
import Testing

struct TLSTransferTests {
    private static func link() throws -> TestLink {
        let link = try TestLink(TestContexts.client(), TestContexts.server())
        link.handshake()
        try #require(link.isEstablished)
        return link
    }

    private static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    }

    @Test(arguments: [1, 100, 16_384, 16_385, 1_000_000])
    func `what one side writes the other reads, in parts as the socket takes them`(count: Int) throws {
        let link = try Self.link()
        for (from, to) in [(link.client, link.server), (link.server, link.client)] {
            let sent = Self.pattern(count)
            var received: [UInt8] = []
            var offset = 0
            var partialWrites = 0
            while received.count < count {
                if offset < count {
                    switch from.write(sent[offset...]) {
                    case .bytes(let taken):
                        offset += taken
                        if offset < count { partialWrites += 1 }
                    case let outcome: Issue.record("\(outcome)"); return
                    }
                }
                let (bytes, end) = to.readAll()
                #expect(end == .wantsRead)
                received += bytes
            }
            #expect(received == sent)
            // The socket's buffer is smaller than a million bytes.
            #expect(count < 1_000_000 || partialWrites > 0)
        }
    }

    @Test func `a full socket takes nothing, and later the same bytes with more behind them`() throws {
        let link = try Self.link()
        let sent = Self.pattern(3_000_000)
        var offset = 0
        while case .bytes(let taken) = link.client.write(sent[offset..<min(offset + 50_000, sent.count)]) {
            offset += taken
        }
        #expect(link.client.write(sent[offset..<offset + 50_000]) == .wantsWrite)
        #expect(link.client.shutdown() == .wantsWrite)
        var received = link.server.readAll().bytes
        while offset < sent.count {
            guard case .bytes(let taken) = link.client.write(sent[offset...]) else {
                Issue.record("nothing is taken at \(offset)")
                return
            }
            offset += taken
            received += link.server.readAll().bytes
        }
        #expect(received == sent)
    }

    @Test(arguments: [1, 7, 1000, 16_384, 65_536])
    func `bytes are read in steps of any size`(step: Int) throws {
        let link = try Self.link()
        let sent = Self.pattern(40_000)
        #expect(link.client.write(sent) == .bytes(sent.count))
        let (bytes, end) = link.server.readAll(step: step)
        #expect(bytes == sent)
        #expect(end == .wantsRead)
    }

    @Test func `without more to come, nothing is left anywhere`() throws {
        let link = try Self.link()
        var buffer = [UInt8](repeating: 0, count: 5000)
        for size in [1, 10, 4999, 5000, 5001, 9999, 10_000, 16_384, 20_000, 33_000] {
            #expect(link.client.write(Self.pattern(size)) == .bytes(size))
            var total = 0
            while total < size {
                let outcome = unsafe buffer.withUnsafeMutableBytes { unsafe link.server.read(into: $0) }
                guard case .bytes(let count, let mayHaveMore) = outcome else {
                    Issue.record("\(outcome) after \(total) of \(size)")
                    return
                }
                total += count
                if total < size { #expect(mayHaveMore, "after \(total) of \(size)") }
                // Nor is the socket asked once more than it must be, where one record is all there is.
                if total == size, size <= 16_384 { #expect(!mayHaveMore, "after all \(size)") }
                if !mayHaveMore {
                    #expect(total == size)
                    #expect(link.sockets.receive(on: link.sockets.second, limit: 1).isEmpty)
                }
            }
            #expect(link.server.readAll().end == .wantsRead)
        }
    }

    @Test func `a record that has come in part is waited for`() throws {
        let link = try RelayLink(TestContexts.client(), TestContexts.server())
        try link.handshakeByteByByte()
        #expect(link.client.write("first".utf8) == .bytes(5))
        #expect(link.client.write("second".utf8) == .bytes(6))
        let wire = link.takeFromClient()
        let middle = wire.count - 10
        link.giveToServer(wire[..<middle])
        #expect(link.server.readAll().bytes == Array("first".utf8))
        #expect(link.server.readAll().end == .wantsRead)
        link.giveToServer(wire[middle...])
        #expect(link.server.readAll().bytes == Array("second".utf8))
    }

    @Test func `an end that was said is told from one that was cut`() throws {
        for says in [true, false] {
            let link = try Self.link()
            #expect(link.client.write("last words".utf8) == .bytes(10))
            if says { #expect(link.client.shutdown() == .sent) }
            link.sockets.shutDown(link.sockets.first)
            var read = link.server.readAll()
            #expect(read.bytes == Array("last words".utf8))
            if read.end == .wantsRead { read = link.server.readAll() }
            let expected: TLSReadOutcome = says ? .endOfStream : .truncated
            #expect(read.end == expected)
            #expect(link.server.readAll().end == expected)
            // The other direction goes on.
            #expect(link.server.write("answer".utf8) == .bytes(6))
            #expect(link.client.readAll().bytes == Array("answer".utf8))
            #expect(link.server.shutdown() == .sent)
        }
    }

    @Test func `close_notify behind bytes is not overlooked`() throws {
        let link = try Self.link()
        #expect(link.client.write("bytes".utf8) == .bytes(5))
        #expect(link.client.shutdown() == .sent)
        var buffer = [UInt8](repeating: 0, count: 100)
        // No event tells of a close_notify that came with the bytes.
        let first = unsafe buffer.withUnsafeMutableBytes { unsafe link.server.read(into: $0) }
        #expect(first == .bytes(5, mayHaveMore: true))
        let second = unsafe buffer.withUnsafeMutableBytes { unsafe link.server.read(into: $0) }
        #expect(second == .endOfStream)
    }

    @Test func `a broken record ends the connection after what came before it`() throws {
        let link = try Self.link()
        #expect(link.client.write("good".utf8) == .bytes(4))
        link.sockets.send([0x17, 3, 3, 0, 20] + [UInt8](repeating: 7, count: 20), on: link.sockets.first)
        let (bytes, end) = link.server.readAll()
        #expect(bytes == Array("good".utf8))
        let fault = TLSFault.other(library: ERR_LIB_SSL, reason: SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)
        #expect(end == .failed(fault))
        #expect(link.server.fault == fault)
        #expect(link.server.write("x".utf8) == .failed(fault))
        #expect(link.client.readAll().end == .failed(.alert(20)))
    }

    @Test func `letters inside an established connection are no plain request`() throws {
        let link = try Self.link()
        link.sockets.send("GET / HTTP/1.1\r\n\r\n".utf8, on: link.sockets.first)
        guard case .failed(.other) = link.server.readAll().end else {
            Issue.record("\(link.server.readAll().end)")
            return
        }
    }

    @Test func `a peer that is gone is a fault of the socket`() throws {
        let link = try Self.link()
        link.sockets.closeFirst()
        #expect(link.server.write("x".utf8) == .failed(.transport(EPIPE)))
    }

    @Test func `what a peer said before it was gone is read after writing has failed`() throws {
        let link = try Self.link()
        #expect(link.client.write("answer".utf8) == .bytes(6))
        link.sockets.closeFirst()
        #expect(link.server.write("x".utf8) == .failed(.transport(EPIPE)))
        #expect(link.server.write("x".utf8) == .failed(.transport(EPIPE)))
        #expect(link.server.readAll().bytes == Array("answer".utf8))
        #expect(link.server.shutdown() == .impossible)
    }

    @Test func `a key update is answered`() throws {
        let link = try RawLink(TestContexts.server())
        link.handshake()
        #expect(unsafe SSL_key_update(link.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        #expect(link.client.write("with a new key".utf8) == 14)
        #expect(link.server.readAll().bytes == Array("with a new key".utf8))
        #expect(link.server.write("answer".utf8) == .bytes(6))
        #expect(link.client.read() == Array("answer".utf8))
    }

    @Test func `before the handshake is over nothing is read or written`() throws {
        let sockets = SocketPair()
        let server = try TLSStream(accepting: TestContexts.server(), descriptor: sockets.second)
        #expect(server.readAll().end == .wantsRead)
        #expect(server.write("x".utf8) == .wantsWrite)
        #expect(server.shutdown() == .impossible)
    }

    @Test func `streams of one context work in several threads at once`() async throws {
        let keys = TLSTicketKeys(now: Instant(nanoseconds: 0))
        let server = try TestContexts.server { $0.ticketKeys = keys }
        let client = try TestContexts.client()
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var established = 0
                    for _ in 0..<10 {
                        let link = try TestLink(client, server)
                        link.handshake()
                        guard link.isEstablished, link.server.write("x".utf8) == .bytes(1),
                            link.client.readAll().bytes == [0x78]
                        else { continue }
                        established += 1
                    }
                    return established
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 80)
    }
}
