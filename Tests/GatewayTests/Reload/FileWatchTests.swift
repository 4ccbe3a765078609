import Dispatch
import Foundation
import Testing

@testable import Gateway

/// Watches files on a queue of its own and lets a test wait for the call.
final class Watching {
    let queue = DispatchQueue(label: "test.file-watch")
    private let called = DispatchSemaphore(value: 0)
    private let watch: FileWatch

    init(_ paths: [String]) {
        let called = self.called
        watch = FileWatch(queue: queue) { called.signal() }
        follow(paths.map { WatchedFile(path: $0, seen: FileIdentity(path: $0)) })
    }

    func follow(_ files: [WatchedFile]) {
        queue.sync { watch.watch(files) }
    }

    /// True when the watch calls within the bound of the test.
    func isCalled() -> Bool { called.wait(timeout: .now() + 5) == .success }

    /// Some watched file is being written to.
    func isHeld() -> Bool { queue.sync { watch.isBeingWritten } }

    /// The watch has looked at the files since the events so far.
    func settles() -> Bool {
        for _ in 0..<500 where queue.sync(execute: { watch.isSettling }) { usleep(10_000) }
        return queue.sync { !watch.isSettling }
    }

    func isSilentSoFar() -> Bool { called.wait(timeout: .now()) == .timedOut }

    /// True when no call came that was not waited for, and none is on its way: the kernel tells of a change at once.
    func isSilent() -> Bool {
        let isQuiet = queue.sync {
            watch.drain()
            return !watch.isSettling
        }
        return isQuiet && called.wait(timeout: .now()) == .timedOut
    }
}

@Suite struct FileWatchTests {
    @Test func `a file written in place is noticed, also when its size stays`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "gateway.json")
        let watching = Watching([path])
        try folder.write("two", to: "gateway.json")
        #expect(watching.isCalled())
        try folder.write("six", to: "gateway.json")
        #expect(watching.isCalled())
        #expect(watching.isSilent())
    }

    @Test func `a file renamed over is noticed, again and again`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "gateway.json")
        let watching = Watching([path])
        for text in ["two", "three", "four"] {
            try folder.write(text, to: "gateway.json.tmp")
            try folder.rename("gateway.json.tmp", to: "gateway.json")
            #expect(watching.isCalled())
        }
    }

    @Test func `a swapped link of a Kubernetes volume is noticed, again and again`() throws {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        func publish(_ version: String, _ text: String) throws {
            try files.createDirectory(atPath: folder.path(version), withIntermediateDirectories: false)
            try folder.write(text, to: version + "/gateway.json")
            try files.createSymbolicLink(atPath: folder.path("..data_tmp"), withDestinationPath: version)
            try folder.rename("..data_tmp", to: "..data")
        }
        try publish("..1", "one")
        try files.createSymbolicLink(atPath: folder.path("gateway.json"), withDestinationPath: "..data/gateway.json")
        let watching = Watching([folder.path("gateway.json")])
        try publish("..2", "two")
        #expect(watching.isCalled())
        try files.removeItem(atPath: folder.path("..1"))
        try publish("..3", "three")
        #expect(watching.isCalled())
        try folder.write("inside", to: "..3/gateway.json")
        #expect(watching.isCalled())
    }

    @Test func `a file that goes and comes back is noticed both times`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "gateway.json")
        let watching = Watching([path])
        try FileManager.default.removeItem(atPath: path)
        #expect(watching.isCalled())
        try folder.write("two", to: "gateway.json")
        #expect(watching.isCalled())
    }

    @Test func `a directory that vanishes and comes back is noticed`() throws {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        try files.createDirectory(atPath: folder.path("etc"), withIntermediateDirectories: false)
        let path = try folder.write("one", to: "etc/gateway.json")
        let watching = Watching([path])
        try files.removeItem(atPath: folder.path("etc"))
        #expect(watching.isCalled())
        try files.createDirectory(atPath: folder.path("new"), withIntermediateDirectories: false)
        try folder.write("two", to: "new/gateway.json")
        try folder.rename("new", to: "etc")
        #expect(watching.isCalled())
        try folder.write("three", to: "etc/gateway.json")
        #expect(watching.isCalled())
    }

    @Test func `other files of the directory and reading are not noticed`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "gateway.json")
        let watching = Watching([path])
        try folder.write("log", to: "access.log")
        _ = try String(contentsOfFile: path, encoding: .utf8)
        #expect(watching.isSilent())
    }

    @Test func `a burst of writes is one call`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("0", to: "gateway.json")
        let watching = Watching([path])
        // On the watch's own queue, so that no event is handled before the burst is over.
        try watching.queue.sync {
            for number in 1...100 { try folder.write("\(number)", to: "gateway.json") }
        }
        #expect(watching.isCalled())
        #expect(watching.isSilent())
    }

    @Test func `a change made between reading and watching is noticed`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "gateway.json")
        let seen = FileIdentity(path: path)
        try folder.write("changed", to: "gateway.json")
        let watching = Watching([])
        watching.follow([WatchedFile(path: path, seen: seen)])
        #expect(watching.isCalled())
    }

    @Test func `another set of files replaces the one before`() throws {
        let folder = try TemporaryFolder()
        let first = try folder.write("one", to: "first")
        let second = try folder.write("one", to: "second")
        let watching = Watching([first])
        watching.follow([WatchedFile(path: second, seen: FileIdentity(path: second))])
        try folder.write("two", to: "first")
        #expect(watching.isSilent())
        try folder.write("two", to: "second")
        #expect(watching.isCalled())
    }

    @Test func `a file that is written in place is noticed when its writer closes it, and not before`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "keys.jsonl")
        let watching = Watching([path])
        let writer = try #require(FileHandle(forWritingAtPath: path))
        try writer.truncate(atOffset: 0)
        try writer.write(contentsOf: Data("half".utf8))
        #expect(watching.isHeld())
        // Another file's change waits too: the reload would read the half one.
        #expect(watching.settles() && watching.isSilentSoFar())
        try writer.write(contentsOf: Data(" and half".utf8))
        try writer.close()
        #expect(watching.isCalled())
        #expect(!watching.isHeld())
    }

    @Test func `a file that is renamed over a half written one is noticed at once`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "keys.jsonl")
        let watching = Watching([path])
        let writer = try #require(FileHandle(forWritingAtPath: path))
        try writer.write(contentsOf: Data("half".utf8))
        #expect(watching.isHeld())
        try folder.write("whole", to: "keys.jsonl.tmp")
        try folder.rename("keys.jsonl.tmp", to: "keys.jsonl")
        #expect(watching.isCalled())
        try writer.close()
    }

    @Test func `a new file that an editor has only just created waits for its content`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one", to: "keys.jsonl")
        let watching = Watching([path])
        try folder.rename("keys.jsonl", to: "keys.jsonl~")
        #expect(watching.isCalled())
        let writer = FileHandle(fileDescriptor: unsafe open(path, O_WRONLY | O_CREAT, 0o600), closeOnDealloc: true)
        #expect(watching.isHeld() && watching.isSilentSoFar())
        try writer.write(contentsOf: Data("two".utf8))
        try writer.close()
        #expect(watching.isCalled())
    }
}
