import Core
import Foundation
import Testing

/// The parsing cases of JSONTestSuite.
struct JSONTestSuiteTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Vectors/jsontestsuite/parsing").standardized

    /// Valid by RFC 8259, which leaves open what doubled members mean; refused here by design.
    static let doubledMembers: Set = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"]

    static func files(_ prefix: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return all.filter { $0.hasPrefix(prefix) }.sorted()
    }

    static func contents(of file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: file)))
    }

    @Test func `the cases are where these tests look for them`() {
        #expect(Self.files("y_").count == 95)
        #expect(Self.files("n_").count == 94)
    }

    @Test(arguments: files("y_").filter { !doubledMembers.contains($0) })
    func `a valid text parses`(file: String) throws {
        let bytes = try Self.contents(of: file)
        #expect(refusal(of: bytes) == nil)
    }

    @Test(arguments: doubledMembers.sorted())
    func `doubled members are refused although the grammar allows them`(file: String) throws {
        #expect(refusal(of: try Self.contents(of: file))?.reason == .duplicateMember("a"))
    }

    @Test(arguments: files("n_"))
    func `an invalid text is refused`(file: String) throws {
        #expect(refusal(of: try Self.contents(of: file)) != nil)
    }

    @Test(arguments: files("y_").filter { !doubledMembers.contains($0) })
    func `a valid text survives being written and read again`(file: String) throws {
        let node = try parsed(try Self.contents(of: file))
        #expect(sameValue(node, try parsed(serialised(node))))
    }

    @Test(arguments: files("y_").filter { !doubledMembers.contains($0) })
    func `no beginning of a valid text traps`(file: String) throws {
        let bytes = try Self.contents(of: file)
        for count in bytes.indices {
            let error = refusal(of: Array(bytes.prefix(count)))
            #expect(error == nil || error?.position.line ?? 0 >= 1)
        }
    }

    @Test(arguments: files("y_") + files("n_"))
    func `a text with bytes changed is refused or survives, and never traps`(file: String) throws {
        let original = try Self.contents(of: file)
        guard !original.isEmpty else { return }
        var generator = SplitMix(state: UInt64(original.count))
        let alphabet =
            Array("{}[]\",:\\/u0123456789abcdefDEntrl+-. \n".utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xF4]
        for _ in 0..<100 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            guard refusal(of: bytes) == nil else { continue }
            let node = try parsed(bytes)
            #expect(sameValue(node, try parsed(serialised(node))))
        }
    }
}
