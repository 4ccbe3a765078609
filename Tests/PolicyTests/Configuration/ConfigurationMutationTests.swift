import Core
import Policy
import Testing

/// Files broken at random: the reader never traps, and gives a configuration or says why it does not.
@Suite struct ConfigurationMutationTests {
    /// The generator of Steele, Lea and Flood (SplitMix64), so that a failure comes back with its seed.
    struct Randomness: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static func check(_ bytes: [UInt8]) {
        let (configuration, diagnostics) = ConfigurationReader.read(bytes.span, file: "f")
        let hasErrors = diagnostics.contains { $0.severity == .error }
        #expect((configuration == nil) == hasErrors, "\(String(decoding: bytes, as: UTF8.self))")
        #expect(diagnostics.allSatisfy { !$0.description.contains("\n") })
        guard let configuration else { return }
        let warnings = ConfigurationWarnings.review(configuration, file: "f", now: WallTime(seconds: 1_767_225_600))
        #expect(warnings.allSatisfy { $0.severity == .warning })
    }

    @Test(arguments: UInt64(0)..<8)
    func `bytes deleted, doubled and replaced`(seed: UInt64) {
        var randomness = Randomness(state: seed)
        let good = Array(ConfigurationReaderTests.example.utf8)
        for _ in 0..<60 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &randomness) {
                let start = Int.random(in: 0..<bytes.count, using: &randomness)
                let end = min(bytes.count, start + Int.random(in: 1...12, using: &randomness))
                switch Int.random(in: 0..<4, using: &randomness) {
                case 0: bytes.removeSubrange(start..<end)
                case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
                case 2: bytes[start] = UInt8.random(in: 0...255, using: &randomness)
                default: bytes[start] = #""{}[],:0-9.aA/*%~"#.utf8.randomElement(using: &randomness) ?? 0
                }
            }
            Self.check(bytes)
        }
    }

    @Test(arguments: UInt64(0)..<8)
    func `values replaced by values of every kind`(seed: UInt64) throws {
        var randomness = Randomness(state: seed)
        let good = try JSONNode.parse(ConfigurationReaderTests.example.utf8.span)
        let strange = try JSONNode.parse(
            #"[null,true,false,0,-1,1e3,1e400,18446744073709551616,"","x","*","{","{path.org}","env:","\u0000","/","//",[],[[]],{},{"a":1},"ä"]"#
                .utf8.span)
        guard case .array(let values) = strange.value else { return }
        for _ in 0..<60 {
            var bytes: [UInt8] = []
            bytes.append(json: Self.mutated(good, with: values, odds: 60, &randomness))
            Self.check(bytes)
        }
    }

    /// A copy in which about one value of `odds` is another or is missing.
    private static func mutated(
        _ node: JSONNode, with values: [JSONNode], odds: Int, _ randomness: inout Randomness
    ) -> JSONNode {
        if Int.random(in: 0..<odds, using: &randomness) == 0 { return values.randomElement(using: &randomness) ?? node }
        var node = node
        switch node.value {
        case .null, .bool, .number, .string: break
        case .array(let elements):
            node.value = .array(
                elements.compactMap { element in
                    if Int.random(in: 0..<odds, using: &randomness) == 0 { return nil }
                    return mutated(element, with: values, odds: odds, &randomness)
                })
        case .object(let members):
            node.value = .object(
                members.compactMap { member in
                    if Int.random(in: 0..<odds, using: &randomness) == 0 { return nil }
                    var member = member
                    member.node = mutated(member.node, with: values, odds: odds, &randomness)
                    return member
                })
        }
        return node
    }
}
