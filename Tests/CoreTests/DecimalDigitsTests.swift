import Core
import Testing

@Suite struct DecimalDigitsTests {
    static func isWritten(_ number: some FixedWidthInteger) -> Bool {
        var buffer = ByteBuffer()
        buffer.append(decimal: number)
        var array: [UInt8] = []
        array.append(decimal: number)
        let text = Array(String(number).utf8)
        return buffer.array == text && array == text
    }

    @Test func `a number is written as it is read`() {
        for number in 0..<20_000 where !Self.isWritten(number) { Issue.record("\(number)") }
        var power: UInt64 = 1
        for _ in 0..<20 {
            for number in [power - 1, power, power &+ 1, power / 10 &* 7] where !Self.isWritten(number) {
                Issue.record("\(number)")
            }
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        var generator = SplitMix(state: 8)
        for _ in 0..<20_000 {
            let word = generator.next() >> UInt64.random(in: 0..<64, using: &generator)
            if !Self.isWritten(word) { Issue.record("\(word)") }
            if !Self.isWritten(Int64(bitPattern: word)) { Issue.record("\(Int64(bitPattern: word))") }
        }
        #expect(Self.isWritten(UInt64.max))
        #expect(Self.isWritten(Int64.min))
        #expect(Self.isWritten(Int8(-128)))
    }
}
