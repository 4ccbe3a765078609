import Core
import Testing

@testable import Policy

struct FieldFilterTests {
    private func contains(_ filter: FieldFilter, _ name: String) -> Bool { filter.contains(name.utf8.span) }

    /// What a filter says, byte by byte.
    private func isMatched(_ name: String, by names: FieldFilter.Names) -> Bool {
        func folded(_ text: String) -> [UInt8] {
            text.utf8.map { byte in
                let letter = byte | 0x20
                if letter >= 0x61, letter <= 0x7A { return letter }
                return byte >= 0x30 && byte <= 0x39 ? byte : 0x2D
            }
        }
        if names.dropped.contains(where: { folded($0) == folded(name) }) { return true }
        let respelled = names.respelled.filter { folded($0) == folded(name) }
        if respelled.contains(where: { $0.lowercased() == name.lowercased() }) { return false }
        return !respelled.isEmpty || names.prefixes.contains { folded(name).starts(with: folded($0)) }
    }

    @Test func `random names are matched as they are byte by byte`() {
        let names = FieldFilter.Names(
            dropped: ["X-Auth-Subject", "a", "Z_z", "x1", "~q", String(repeating: "long-", count: 20) + "end"],
            respelled: ["X-Version", "X_Version", "content-type", "x-auth-token", "a-b"], prefixes: ["X-Auth-", "X-Forwarded-"])
        let filter = FieldFilter(names)
        let seeds = names.dropped + names.respelled + names.prefixes + ["X-Auth", "X-Forwarded-For-2", "9", "Host", ""]
        let alphabet = Array("aAxXzZ09-_.~!|'*".unicodeScalars)
        var random = PseudorandomSequence(seed: (5, 7))
        for _ in 0..<20_000 {
            var scalars = Array(seeds[Int(random.next() % UInt64(seeds.count))].unicodeScalars)
            for _ in 0..<random.next() % 4 where !scalars.isEmpty {
                scalars[Int(random.next() % UInt64(scalars.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            if random.next() % 4 == 0 { scalars.append(alphabet[Int(random.next() % UInt64(alphabet.count))]) }
            var name = ""
            name.unicodeScalars.append(contentsOf: scalars)
            #expect(contains(filter, name) == isMatched(name, by: names), "\(name)")
        }
    }

    @Test func `a name that is dropped is dropped even where another rule would spare it`() {
        let filter = FieldFilter(FieldFilter.Names(dropped: ["x_version"], respelled: ["X-Version"]))
        #expect(contains(filter, "X-Version"))
    }

    @Test func `an empty filter matches nothing`() {
        let filter = FieldFilter(FieldFilter.Names())
        for name in ["", "a", "X-Auth-Subject"] { #expect(!contains(filter, name)) }
    }
}
