import Foundation
import Testing

/// Certificates made for one test by the `openssl` command, in a folder of the test's.
struct TestCertificates {
    struct Failed: Error {}

    let folder: TemporaryFolder

    /// A certificate of its own authority, and its key: `NAME.pem` and `NAME.key`.
    func make(_ name: String, days: Int = 365, key: String = "ec:P-256", passphrase: String? = nil) throws {
        let kind = key == "rsa:1024" ? ["-newkey", key] : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        let lock = passphrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
        try Self.openssl(
            ["req", "-x509", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name).test", "-days", "\(days)"]
                + kind + lock + ["-keyout", folder.path("\(name).key"), "-out", folder.path("\(name).pem")])
    }

    static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed() }
    }
}
