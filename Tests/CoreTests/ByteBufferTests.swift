import Core
import Testing

@Suite struct ByteBufferTests {
    /// Does the same to a buffer and to an array, by the digits of a seed.
    @Test(arguments: 0..<50) func `a buffer holds what an array would`(_ seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ limit: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % limit
        }
        var buffer = ByteBuffer()
        var array: [UInt8] = []
        for _ in 0..<200 {
            switch next(7) {
            case 0:
                let byte = UInt8(next(256))
                buffer.append(byte)
                array.append(byte)
            case 1, 2:
                let run = (0..<next(700)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                buffer.append(contentsOf: run.span)
                array += run
            case 3:
                let number = next(1 << 30) - (1 << 29)
                buffer.append(decimal: number)
                array += Array(String(number).utf8)
            case 4:
                buffer.append("literal")
                array += Array("literal".utf8)
            case 5:
                let count = next(array.count + 20)
                buffer.removeFirst(count)
                array.removeFirst(min(count, array.count))
            default:
                let count = next(array.count + 20)
                buffer.truncate(to: count)
                array.removeLast(max(0, array.count - count))
            }
            let count = buffer.count
            #expect(count == array.count)
        }
        let held = buffer.array
        #expect(held == array)
    }

    @Test func `a run of any length is copied from anywhere to anywhere`() {
        let source = (0..<100).map { UInt8($0) }
        for count in 0...70 {
            for offset in 0..<16 {
                var buffer = ByteBuffer()
                buffer.append(contentsOf: source.span.extracting(0..<offset))
                buffer.append(contentsOf: source.span.extracting(offset..<offset + count))
                buffer.append(0xFF)
                if buffer.array != Array(source[0..<offset + count]) + [0xFF] { Issue.record("\(count) at \(offset)") }
            }
        }
    }

    @Test func `storage goes round and is not shared`() {
        var pool = ByteBufferPool(countLimit: 1, byteLimit: 1024, totalByteLimit: 4096)
        var first = ByteBuffer()
        first.append("first")
        let capacity = first.capacity
        pool.takeBack(&first)
        #expect((first.count, first.capacity) == (0, 0))
        var second = ByteBuffer()
        pool.lend(to: &second)
        #expect((second.count, second.capacity) == (0, capacity))
        second.append("second")
        pool.lend(to: &first)
        #expect((first.count, first.capacity) == (0, 0))
        first.append("other")
        let text = String(decoding: second.array, as: UTF8.self)
        #expect(text == "second")
    }

    @Test func `what grew beyond the limit, or is one too many, is not kept`() {
        var pool = ByteBufferPool(countLimit: 1, byteLimit: 1024, totalByteLimit: 4096)
        var large = ByteBuffer()
        large.append(contentsOf: [UInt8](repeating: 1, count: 1025).span)
        pool.takeBack(&large)
        var borrower = ByteBuffer()
        pool.lend(to: &borrower)
        let capacity = borrower.capacity
        #expect(capacity == 0)
    }

    @Test func `a pool holds no more bytes than it may, however many buffers come back`() {
        var pool = ByteBufferPool(countLimit: 100, byteLimit: 1024, totalByteLimit: 1100)
        for _ in 0..<3 {
            var buffer = ByteBuffer()
            buffer.append(contentsOf: [UInt8](repeating: 1, count: 1000).span)
            pool.takeBack(&buffer)
        }
        var first = ByteBuffer()
        var second = ByteBuffer()
        pool.lend(to: &first)
        pool.lend(to: &second)
        #expect((first.capacity, second.capacity) == (1000, 0))
    }
}
