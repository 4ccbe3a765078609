package import Core
import Crypto
import IO
import Policy

/// The policy file and everything it names: reads, checks and compiles them as often as asked. `serve`, reload and
/// `check` are this same code. Loading does blocking input and output, so never on a loop's queue.
package final class PolicySource: Sendable {
    /// What becomes of a server's name that cannot be resolved.
    package enum Resolution: Sendable {
        /// An error: the gateway could not forward to it.
        case required
        /// A warning: where a policy is only checked, its names may mean nothing.
        case advisory
    }

    /// A policy file above this is a mistake; many keys belong in a keys file.
    package static let byteLimit = 67_108_864

    private let path: String
    private let resolution: Resolution
    private let cryptography: any Cryptography
    private let hashSeed: HashSeed

    /// `path` as the operator named the file; it stands in diagnostics.
    package init(
        path: String, resolution: Resolution = .required, cryptography: any Cryptography = OpenSSLCryptography()
    ) {
        self.path = path
        self.resolution = resolution
        self.cryptography = cryptography
        hashSeed = HashSeed(SecureRandom.word(), SecureRandom.word())
    }

    /// Loads the policy as the files are now. Nothing that is in force changes: of `previous`, the policy in force,
    /// only the places of key sets are shared, and they get new keys when the loaded policy is adopted.
    package func load(previous: CompiledPolicy? = nil) -> PolicyLoad {
        let files = PolicyFiles(
            fileName: path, previous: previous?.keySets ?? [], cryptography: cryptography, hashSeed: hashSeed)
        var load = PolicyLoad()
        compile(files, previous, into: &load)
        load.diagnostics += files.warnings
        load.watchedFiles = files.watched
        load.policy?.watchedFiles = files.watched
        return load
    }

    private func compile(_ files: PolicyFiles, _ previous: CompiledPolicy?, into load: inout PolicyLoad) {
        let bytes: [UInt8]
        do throws(LocalFileFault) {
            bytes = try files.open(path).bytes(atMost: Self.byteLimit)
        } catch {
            load.isUnreadable = true
            load.diagnostics.append(
                Diagnostic(.error, .fileUnreadable, file: path, position: nil, path: "", message: error.message))
            return
        }
        let read = ConfigurationReader.read(bytes.span, file: path)
        load.diagnostics = read.diagnostics
        guard var configuration = read.configuration else { return }
        load.diagnostics += ConfigurationWarnings.review(
            configuration, file: path, now: EventLoop.readClocks().wall)
        if case .file(let log) = configuration.accessLog { configuration.accessLog = .file(files.resolved(log)) }
        let compiled = Snapshot.compile(configuration, environment: files)
        load.diagnostics += compiled.diagnostics
        var upstreams = resolve(configuration.upstreams, previous, into: &load)
        var tls = TLSCompiler(files: files, previous: previous)
        let listeners = configuration.listeners.enumerated().map {
            CompiledPolicy.Listener($1, security: tls.server($1, at: $0))
        }
        for index in upstreams.indices {
            upstreams[index].security = tls.client(upstreams[index].configuration, named: upstreams[index].name)
        }
        let keySets = files.keySets.map { connected($0, previous, by: &tls) }
        load.diagnostics += tls.errors
        guard let snapshot = compiled.snapshot, !load.diagnostics.contains(where: { $0.severity == .error }) else {
            return
        }
        load.policy = CompiledPolicy(
            snapshot: snapshot, listeners: listeners, upstreams: upstreams, keySets: keySets, certificates: tls.expiries,
            watchedFiles: files.watched)
    }

    /// A key set with what connections to its server are made from, if it has one that may speak TLS.
    private func connected(
        _ keySet: CompiledKeySet, _ previous: CompiledPolicy?, by tls: inout TLSCompiler
    ) -> CompiledKeySet {
        guard let url = keySet.url else { return keySet }
        // Metadata that come in clear may still name an https URL.
        guard keySet.configuration.isDiscovered || FetchAddress.isSecure(url) else { return keySet }
        var keySet = keySet
        let before = previous?.keySets.first { $0.cell === keySet.cell }?.security
        keySet.security = tls.client(keySet.configuration, before: before)
        return keySet
    }

    // MARK: Upstreams

    /// Every upstream in the order of their names, with the addresses its servers' names resolve to.
    private func resolve(
        _ upstreams: [String: UpstreamConfiguration], _ previous: CompiledPolicy?, into load: inout PolicyLoad
    ) -> [CompiledPolicy.Upstream] {
        upstreams.sorted { $0.key < $1.key }.map { name, configuration in
            let known = previous?.upstreams.first { $0.name == name }?.servers ?? []
            var servers: [CompiledPolicy.Server] = []
            for server in configuration.servers {
                var found = resolve(server, known, into: &load)
                if let tls = configuration.tls {
                    let name = TLSServerName(tls.serverName ?? server.value.host)
                    for index in found.indices { found[index].tlsName = name }
                }
                servers += found.filter { !servers.contains($0) }
            }
            return CompiledPolicy.Upstream(name: name, configuration: configuration, servers: servers)
        }
    }

    private func resolve(
        _ server: Located<UpstreamConfiguration.Server>, _ known: [CompiledPolicy.Server], into load: inout PolicyLoad
    ) -> [CompiledPolicy.Server] {
        let host = server.value.host
        let hostField = Array("\(host.contains(":") ? "[\(host)]" : host):\(server.value.port)".utf8)
        do throws(NameResolution.Failure) {
            return try NameResolution.endpoints(of: host, port: server.value.port).map {
                CompiledPolicy.Server(endpoint: $0, hostField: hostField)
            }
        } catch {
            // A resolver that is down for a moment must not undo addresses that are in use.
            let kept = known.filter { $0.hostField == hostField }
            let isWarning = resolution == .advisory || !kept.isEmpty
            load.diagnostics.append(
                Diagnostic(
                    isWarning ? .warning : .error, .serverInvalid, file: path, position: server.position,
                    path: server.path,
                    message: kept.isEmpty ? error.message : "\(error.message); its old addresses stay"))
            return kept
        }
    }
}
