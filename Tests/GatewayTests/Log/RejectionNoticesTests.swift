import Core
import Testing

@testable import Gateway

@Suite struct RejectionNoticesTests {
    private let listener = "127.0.0.1:8443"

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func peer(_ number: UInt32) -> IPAddress { IPAddress(v4: 0xC633_6400 &+ number) }

    @Test func `a peer is told of once in ten seconds, and then how often it was not`() {
        var notices = RejectionNotices()
        #expect(notices.verdict(on: peer(1), at: listener, now: at(0)) == .tell(untold: 0))
        for milliseconds in 1...1000 {
            #expect(notices.verdict(on: peer(1), at: listener, now: at(Int64(milliseconds))) == .keepSilent)
        }
        #expect(notices.verdict(on: peer(1), at: listener, now: at(9_999)) == .keepSilent)
        #expect(notices.verdict(on: peer(1), at: listener, now: at(10_000)) == .tell(untold: 1001))
        #expect(notices.verdict(on: peer(1), at: listener, now: at(20_000)) == .tell(untold: 0))
    }

    @Test func `each listener and each peer has a time of its own`() {
        var notices = RejectionNotices()
        #expect(notices.verdict(on: peer(1), at: listener, now: at(0)) == .tell(untold: 0))
        #expect(notices.verdict(on: peer(2), at: listener, now: at(0)) == .tell(untold: 0))
        #expect(notices.verdict(on: peer(1), at: "127.0.0.1:8080", now: at(0)) == .tell(untold: 0))
        #expect(notices.verdict(on: peer(2), at: listener, now: at(1)) == .keepSilent)
    }

    @Test func `the addresses of one IPv6 network are one peer`() {
        var notices = RejectionNotices()
        let network: UInt64 = 0x2001_0db8_0000_0001
        #expect(notices.verdict(on: IPAddress(high: network, low: 1), at: listener, now: at(0)) == .tell(untold: 0))
        for low in 2...100 as ClosedRange<UInt64> {
            #expect(notices.verdict(on: IPAddress(high: network, low: low), at: listener, now: at(1)) == .keepSilent)
        }
        #expect(notices.count == 1)
    }

    @Test func `a network of scanners gets as many lines as there are places, and one`() {
        var notices = RejectionNotices(peerLimit: 8)
        var told = 0
        var others = 0
        for number in 0..<10_000 as Range<UInt32> {
            switch notices.verdict(on: peer(number), at: listener, now: at(Int64(number) / 2)) {
            case .tell: told += 1
            case .tellOthers: others += 1
            case .keepSilent: break
            }
        }
        #expect(told == 8)
        #expect(others == 1)
        #expect(notices.count == 9)
    }

    @Test func `places become free after ten seconds`() {
        var notices = RejectionNotices(peerLimit: 2)
        for number in 0..<100 as Range<UInt32> { _ = notices.verdict(on: peer(number), at: listener, now: at(0)) }
        #expect(notices.verdict(on: peer(500), at: listener, now: at(10_000)) == .tell(untold: 0))
        #expect(notices.count == 1)
    }

    @Test func `what the others of a listener did is told in a later line`() {
        var notices = RejectionNotices(peerLimit: 2)
        _ = notices.verdict(on: peer(0), at: listener, now: at(0))
        _ = notices.verdict(on: peer(1), at: listener, now: at(9_000))
        for number in 2..<12 as Range<UInt32> { _ = notices.verdict(on: peer(number), at: listener, now: at(9_500)) }
        _ = notices.verdict(on: peer(20), at: listener, now: at(10_000))
        #expect(notices.verdict(on: peer(21), at: listener, now: at(18_999)) == .keepSilent)
    }
}
