import Crypto
import Foundation
import Testing

/// Certificates made for one test by the `openssl` command, in a folder of the test's.
struct TestCertificates {
    struct Failed: Error {}

    let folder: TemporaryFolder

    /// A certificate of its own authority, and its key: `NAME.pem` and `NAME.key`.
    func make(_ name: String, days: Int = 365, address: String = "127.0.0.1", passphrase: String? = nil) throws {
        let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        let lock = passphrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
        try Self.openssl(
            ["req", "-x509", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name).test,IP:\(address)", "-days", "\(days)"]
                + kind + lock + ["-keyout", folder.path("\(name).key"), "-out", folder.path("\(name).pem")])
    }

    /// What a server with a certificate made before speaks TLS with.
    func server(_ name: String) throws -> TLSServerContext {
        let certificate = try TLSCertificate(
            certificate: bytes("\(name).pem"), key: bytes("\(name).key"))
        return try TLSServerContext(TLSServerSettings([TLSServerSettings.Choice(certificate)]))
    }

    /// What a client speaks TLS with that believes one certificate made before.
    func client(believing name: String) throws -> TLSClientContext {
        try TLSClientContext(TLSClientSettings(.authorities(try TrustStore(pem: bytes("\(name).pem")))))
    }

    private func bytes(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: folder.path(name)))) }

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
