import Foundation
import Testing

@testable import Gateway

@Suite struct PathTrailTests {
    @Test func `a plain file matters in its own directory only`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("", to: "gateway.json")
        #expect(PathTrail(of: [path]).names == [folder.root: ["gateway.json"]])
    }

    @Test func `every link of a Kubernetes volume matters`() throws {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        try files.createDirectory(atPath: folder.path("..2026"), withIntermediateDirectories: false)
        try folder.write("", to: "..2026/gateway.json")
        try files.createSymbolicLink(atPath: folder.path("..data"), withDestinationPath: "..2026")
        try files.createSymbolicLink(atPath: folder.path("gateway.json"), withDestinationPath: "..data/gateway.json")
        #expect(
            PathTrail(of: [folder.path("gateway.json")]).names == [
                folder.root: ["gateway.json", "..data"], folder.path("..2026"): ["gateway.json"],
            ])
    }

    @Test func `where a directory is missing its nearest ancestor matters`() throws {
        let folder = try TemporaryFolder()
        #expect(PathTrail(of: [folder.path("a/b/c.json")]).names == [folder.root: ["a"]])
    }

    @Test func `a circle of links ends`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.path("a"), withDestinationPath: "b")
        try FileManager.default.createSymbolicLink(atPath: folder.path("b"), withDestinationPath: "a")
        #expect(PathTrail(of: [folder.path("a")]).names == [folder.root: ["a", "b"]])
    }
}
