import Foundation
import Policy
import Testing

@testable import Gateway

@Suite struct LocalFileTests {
    @Test func `a file is read whole and in pieces`() throws {
        let folder = try TemporaryFolder()
        let text = String(repeating: "0123456789", count: 100_000)
        let path = try folder.write(text, to: "large")
        #expect(try LocalFile(path: path).bytes(atMost: 1_000_000) == Array(text.utf8))
        let file = try LocalFile(path: path)
        var pieces: [UInt8] = []
        var count = 0
        while let piece = try file.next() {
            pieces += piece
            count += 1
        }
        #expect(pieces == Array(text.utf8))
        #expect(count > 1)
    }

    @Test func `a file above its bound is refused`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("12345", to: "five")
        #expect(try LocalFile(path: path).bytes(atMost: 5).count == 5)
        #expect(throws: LocalFileFault(message: "\(path) is larger than 4 bytes")) {
            try LocalFile(path: path).bytes(atMost: 4)
        }
    }

    @Test func `what is missing or no regular file is named in the message`() throws {
        let folder = try TemporaryFolder()
        #expect(throws: LocalFileFault(message: "cannot read \(folder.path("none")): No such file or directory")) {
            _ = try LocalFile(path: folder.path("none"))
        }
        #expect(throws: LocalFileFault(message: "\(folder.root) is not a regular file")) {
            _ = try LocalFile(path: folder.root)
        }
        #expect(unsafe mkfifo(folder.path("pipe"), 0o600) == 0)
        #expect(throws: LocalFileFault(message: "\(folder.path("pipe")) is not a regular file")) {
            _ = try LocalFile(path: folder.path("pipe"))
        }
    }

    @Test(arguments: [
        ("secret\n", "secret"), ("secret\r\n", "secret"), ("secret", "secret"), ("a\n\n", "a\n"), (" a ", " a "),
    ])
    func `one line end is cut from a file's secret`(content: String, secret: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(content, to: "secret")
        #expect(try SecretSource.read(.file(path)) == Array(secret.utf8))
    }

    @Test(arguments: ["", "\n", "\r\n"])
    func `an empty secret is refused`(content: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(content, to: "secret")
        #expect(throws: LocalFileFault(message: "\(path) is empty")) { try SecretSource.read(.file(path)) }
    }

    @Test func `a secret comes from the environment when the variable is set`() throws {
        #expect(try SecretSource.read(.environment("PATH")).isEmpty == false)
        #expect(throws: LocalFileFault(message: "the environment variable PORTCULLIS_NOT_SET is not set")) {
            try SecretSource.read(.environment("PORTCULLIS_NOT_SET"))
        }
    }

    @Test func `references are read strictly`() {
        #expect(SecretSource.reference("env:A") == .environment("A"))
        #expect(SecretSource.reference("file:a/b") == .file("a/b"))
        for text in ["", "env:", "file:", "A", "ENV:A", "vault:a"] { #expect(SecretSource.reference(text) == nil) }
    }
}
