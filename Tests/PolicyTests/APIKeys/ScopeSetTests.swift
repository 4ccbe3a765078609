import Testing

@testable import Policy

struct ScopeSetTests {
    @Test(arguments: [
        (["a", "b", "c"], ["a"], true), (["a", "b", "c"], ["c", "a"], true), (["a"], ["a", "b"], false), ([], [], true),
        (["a"], [], true), ([], ["a"], false), (["devices:read"], ["devices:rea"], false),
        (["devices:read"], ["devices:read:all"], false), (["A"], ["a"], false), (["a", "a"], ["a"], true),
    ])
    func `a set contains all required names or not`(held: [String], required: [String], isEnough: Bool) {
        #expect(ScopeSet(held).containsAll(ScopeSet(required)) == isEnough)
    }

    @Test(arguments: 1...10)
    func `sets agree with the sets of the library`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 {
            let held = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                "s\(Int.random(in: 0...50, using: &generator))"
            }
            let required = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                "s\(Int.random(in: 0...50, using: &generator))"
            }
            let set = ScopeSet(held)
            #expect(set.containsAll(ScopeSet(required)) == Set(held).isSuperset(of: required))
            #expect(set.count == Set(held).count)
            for name in required { #expect(set.contains(Array(name.utf8)) == held.contains(name)) }
        }
    }

    @Test func `names keep their order and stand once`() {
        let set = ScopeSet(["b", "a", "b", "c"])
        #expect(set.strings == ["b", "a", "c"])
        var bytes: [UInt8] = []
        set.append(to: &bytes)
        #expect(bytes == Array("b a c".utf8))
        #expect(ScopeSet.empty.isEmpty)
    }

    @Test(arguments: [
        ("devices:read", true), ("!#$[]~", true), ("", false), ("a b", false), ("a\"", false), ("a\\", false),
        ("é", false), ("a\n", false), (String(repeating: "a", count: 255), true),
        (String(repeating: "a", count: 256), false),
    ])
    func `names are scope tokens`(name: String, isValid: Bool) {
        #expect(ScopeSet.isValidName(name.utf8.span) == isValid)
    }
}
