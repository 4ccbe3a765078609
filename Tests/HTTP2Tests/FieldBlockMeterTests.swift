import Testing

@testable import HTTP2

/// The price of field blocks: what is decoded, and what is received where nothing is reported.
@Suite struct FieldBlockMeterTests {
    @Test func `a head within its bound is free, and paid for when it is refused`() {
        var meter = FieldBlockMeter()
        #expect(meter.begin(100, allowance: 32_768) == 0 && meter.hear() == 0)
        #expect(meter.decode(nameBytes: 16, valueBytes: 32_720) == 0)
        #expect(meter.decodedBytes == 32_768 && meter.refuse() == 16)
    }

    @Test func `beyond the bound each 2 KiB decoded is a point, however they are cut`() {
        for size in [34, 100, 2048, 4000] {
            var meter = FieldBlockMeter()
            _ = meter.begin(9, allowance: 1000)
            _ = meter.hear()
            var points: Int64 = 0
            while meter.decodedBytes < 200_000 { points += meter.decode(nameBytes: 1, valueBytes: size - 33) }
            #expect(points == Int64((meter.decodedBytes - 1000) / 2048))
            #expect(meter.refuse() == 0)
        }
    }

    @Test func `a block that is ignored costs what was received of it`() {
        var meter = FieldBlockMeter()
        #expect(meter.begin(16_384, allowance: 32_768) == 0)
        #expect(meter.goOn(16_384) == 33 && meter.goOn(0) == 33)
        #expect(meter.begin(1, allowance: 32_768) == 0 && meter.begin(0, allowance: 32_768) == 1)
        #expect(meter.settle() == 0)
    }

    @Test func `what follows a fault in a block is ignored, and costs as such`() {
        var meter = FieldBlockMeter()
        _ = meter.begin(16_384, allowance: 32_768)
        #expect(meter.hear() == 0 && meter.hear() == 0)
        meter.ignoreRest()
        #expect(meter.goOn(16_384) == 0 && meter.goOn(16_384) == 33)
    }

    @Test func `bytes that decode to nothing cost too, beyond what a head may be`() {
        var meter = FieldBlockMeter()
        _ = meter.begin(16_384, allowance: 32_768)
        #expect(meter.hear() == 0 && meter.goOn(16_384) == 0)
        #expect(meter.goOn(16_384) == 32 && meter.goOn(511) == 0 && meter.goOn(1) == 1)
    }

    @Test func `fields that may not be reported are paid for before they are decoded`() {
        var meter = FieldBlockMeter()
        _ = meter.begin(1000, allowance: 65_536, mayBeSilent: true)
        #expect(meter.hear() == 0 && meter.goOn(24) == 0 && meter.goOn(16_384) == 32_768)
    }
}
