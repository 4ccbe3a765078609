package import Core
import Crypto
import HTTP1
import IO
import Policy
import Store

/// The policy file and everything it names: reads, checks and compiles them as often as asked. `serve`, reload and
/// `check` are this same code. Loading does blocking input and output, so never on a loop's queue.
package final class PolicySource: Sendable {
    /// What the names of upstream servers are looked up for. One that cannot be resolved is a warning in any case: its server is left
    /// out.
    package enum Resolution: Sendable {
        /// To serve: names that `previous` does not have are waited for a little, since the policy is waited for as well.
        case serving
        /// To check the policy: every answer is waited for.
        case advisory
        /// Not at all.
        case skipped

        /// How long answers are waited for.
        fileprivate func wait(isReload: Bool) -> Nanoseconds {
            switch self {
            case .serving: isReload ? FixedBounds.nameWaitAtReload : FixedBounds.nameWaitAtStart
            case .advisory: FixedBounds.nameWaitToCheck
            case .skipped: 0
            }
        }
    }

    /// A policy file above this is a mistake; many keys belong in a keys file.
    package static let byteLimit = 67_108_864

    /// Failed tests that diagnostics name one by one.
    private static let namedTestFailures = 50

    /// Reasons of malformed messages, for profiles to name.
    static let parserReasons =
        RequestFault.allCases.map(\.reason.description) + FramingFault.allCases.map(\.reason.description)

    let path: String
    private let resolution: Resolution
    /// What looks up the names of servers.
    package let lookups: NameLookups
    let cryptography: any Cryptography
    let hashSeed: HashSeed

    /// `path` as the operator named the file; it stands in diagnostics.
    package init(
        path: String, resolution: Resolution = .serving, lookups: NameLookups = NameLookups(),
        cryptography: any Cryptography = OpenSSLCryptography()
    ) {
        self.path = path
        self.resolution = resolution
        self.lookups = lookups
        self.cryptography = cryptography
        hashSeed = HashSeed(SecureRandom.word(), SecureRandom.word())
    }

    /// Loads the policy as the files are now, and runs its tests: one that fails is an error. Nothing that is in force
    /// changes: of `previous`, the policy in force, only the places of key sets are shared, and they get new keys when
    /// the loaded policy is adopted.
    /// - Parameter filter: runs only tests whose name contains this; nil runs none.
    package func load(previous: CompiledPolicy? = nil, testsNamed filter: String? = "") -> PolicyLoad {
        let files = PolicyFiles(
            fileName: path, previous: previous?.keySets ?? [], cryptography: cryptography, hashSeed: hashSeed)
        var load = PolicyLoad()
        compile(files, previous, testsNamed: filter, into: &load)
        load.diagnostics += files.warnings
        load.watchedFiles = files.watched
        load.policy?.watchedFiles = files.watched
        return load
    }

    private func compile(
        _ files: PolicyFiles, _ previous: CompiledPolicy?, testsNamed filter: String?, into load: inout PolicyLoad
    ) {
        let bytes: [UInt8]
        do throws(LocalFileFault) {
            bytes = try files.open(path).bytes(atMost: Self.byteLimit)
        } catch {
            load.isUnreadable = true
            load.diagnostics.append(
                Diagnostic(.error, .fileUnreadable, file: path, position: nil, path: "", message: error.message))
            return
        }
        let read = ConfigurationReader.read(bytes.span, file: path, parserReasons: Self.parserReasons)
        load.diagnostics = read.diagnostics
        guard var configuration = read.configuration else { return }
        var tests = configuration.tests
        if let file = configuration.testsFile { tests += self.tests(of: file, configuration, files, into: &load) }
        // They are of no use to the policy in force.
        configuration.tests = []
        load.diagnostics += ConfigurationWarnings.review(
            configuration, file: path, now: EventLoop.readClocks().wall)
        if case .file(let log) = configuration.accessLog { configuration.accessLog = .file(files.resolved(log)) }
        if case .advisory = resolution { load.diagnostics += MachineReview.warnings(about: configuration, file: path) }
        let compiled = Snapshot.compile(configuration, environment: files)
        load.diagnostics += compiled.diagnostics
        if compiled.snapshot != nil, let filter { run(tests, named: filter, of: configuration, into: &load) }
        let names = answers(for: configuration.upstreams, previous)
        var upstreams = resolve(configuration.upstreams, names, into: &load)
        var tls = TLSCompiler(files: files, previous: previous)
        let listeners = configuration.listeners.enumerated().map {
            CompiledPolicy.Listener($1, security: tls.server($1, at: $0))
        }
        let admin = configuration.admin.map { admin in
            var listener = ListenerConfiguration(address: admin.address, proxyProtocol: nil, position: admin.position)
            listener.tls = admin.tls
            listener.protocols = [.http11]
            return CompiledPolicy.Listener(listener, security: tls.server(admin: listener))
        }
        for index in upstreams.indices {
            upstreams[index].security = tls.client(upstreams[index].configuration, named: upstreams[index].name)
        }
        let keySets = files.keySets.map { connected($0, previous, by: &tls) }
        let store = configuration.store.flatMap { self.store($0, of: configuration, files, into: &load) }
        if resolution != .serving, let fault = store?.fault() {
            load.diagnostics.append(
                Diagnostic(
                    .warning, .storeUnusable, file: path, position: configuration.store?.position, path: "store",
                    message: fault.message))
        }
        let audit = audit(configuration.audit, files, previous, by: &tls, into: &load)
        let token = adminToken(configuration.admin?.token, files, into: &load)
        let refreshSecurity = refreshSecurity(configuration, previous, by: &tls)
        load.diagnostics += tls.errors
        guard let snapshot = compiled.snapshot, !load.diagnostics.contains(where: { $0.severity == .error }) else {
            return
        }
        load.policy = CompiledPolicy(
            snapshot: snapshot, listeners: listeners, upstreams: upstreams, keySets: keySets, certificates: tls.expiries,
            watchedFiles: files.watched)
        load.policy?.refreshSecurity = refreshSecurity
        load.policy?.names = names
        load.policy?.store = store
        load.policy?.audit = audit
        load.policy?.admin = admin
        load.policy?.adminToken = token.map { cryptography.sha256($0.span) }
        load.policy?.file = path
        load.policy?.text = bytes
    }

    /// What opens the management on the admin listener; nil where there is none, and after an error was noted.
    private func adminToken(
        _ place: Located<SecretReference>?, _ files: PolicyFiles, into load: inout PolicyLoad
    ) -> [UInt8]? {
        guard let place, let token = secret(place, files, into: &load) else { return nil }
        let isVisible = token.allSatisfy { 0x21...0x7E ~= $0 }
        if isVisible, token.count >= AdminConfiguration.shortestToken { return token }
        load.diagnostics.append(
            Diagnostic(
                .error, .adminTokenShort, file: path, position: place.position, path: place.path,
                message: (isVisible
                    ? "the admin token is shorter than \(AdminConfiguration.shortestToken) characters and can be guessed; "
                    : "the admin token has characters other than visible ASCII, which no Authorization field can show; ")
                    + "\"openssl rand -hex 32\" makes a good one"))
        return nil
    }

    /// What opens the management on the admin listener, as the file says now; nil where it says nothing.
    package func adminToken() -> [UInt8]? {
        let files = PolicyFiles(fileName: path, previous: [], cryptography: cryptography, hashSeed: hashSeed)
        guard let bytes = try? files.open(path).bytes(atMost: Self.byteLimit),
            let place = ConfigurationReader.read(bytes.span, file: path, parserReasons: Self.parserReasons).configuration?.admin?.token
        else { return nil }
        return try? files.secret(place.value)
    }

    /// The store with its key read; nil after an error was noted.
    private func store(
        _ store: StoreConfiguration, of configuration: Configuration, _ files: PolicyFiles, into load: inout PolicyLoad
    ) -> CompiledStore? {
        func refuse(_ place: Located<SecretReference>, _ message: String) {
            load.diagnostics.append(
                Diagnostic(
                    .error, .secretUnreadable, file: path, position: place.position, path: place.path, message: message))
        }
        var compiled = CompiledStore(path: files.resolved(store.sqlite.value), encryptionKey: nil)
        guard let place = store.encryptionKey else {
            if configuration.keySets.values.contains(where: { $0.source.isStored }) {
                load.diagnostics.append(
                    Diagnostic(
                        .error, .memberMissing, file: path, position: store.position, path: "store",
                        message: "keys to sign with are stored encrypted: the member \"encryption_key\" is missing"))
            }
            return compiled
        }
        do throws(CompileFault) {
            guard let key = EncryptionKey(secret: try files.secret(place.value, at: place)) else {
                refuse(place, "an encryption key has at least \(EncryptionKey.leastBytes) bytes")
                return nil
            }
            compiled.encryptionKey = key
        } catch {
            refuse(place, error.message)
            return nil
        }
        return compiled
    }

    // MARK: Tests

    /// The tests of the file that `tests_file` names; none after an error was noted, which the policy is refused for.
    private func tests(
        of file: Located<String>, _ configuration: Configuration, _ files: PolicyFiles, into load: inout PolicyLoad
    ) -> [PolicyTestConfiguration] {
        let name = files.resolved(file.value)
        let bytes: [UInt8]
        do throws(LocalFileFault) { bytes = try files.open(name).bytes(atMost: Self.byteLimit) } catch {
            load.diagnostics.append(
                Diagnostic(
                    .error, .fileUnreadable, file: path, position: file.position, path: file.path, message: error.message))
            return []
        }
        let read = ConfigurationReader.readTests(
            bytes.span, file: OneLine.plain(name), of: configuration, parserReasons: Self.parserReasons)
        load.diagnostics += read.diagnostics
        return read.diagnostics.isEmpty ? read.tests : []
    }

    /// Runs the policy's tests, on files read for that alone: what they find is not in force.
    private func run(
        _ tests: [PolicyTestConfiguration], named filter: String, of configuration: Configuration, into load: inout PolicyLoad
    ) {
        let tests = filter.isEmpty ? tests : tests.filter { $0.name.contains(filter) }
        if tests.isEmpty { return }
        let stage = PolicyFiles(fileName: path, previous: [], cryptography: cryptography, hashSeed: hashSeed)
        load.testRuns = PolicyTestRun.all(tests, of: configuration, environment: stage)
        let failures = load.testRuns.compactMap(\.result.diagnostic)
        load.diagnostics += failures.prefix(Self.namedTestFailures)
        if failures.count > Self.namedTestFailures {
            load.diagnostics.append(
                Diagnostic(
                    .error, .testFailed, file: path, position: nil, path: "tests",
                    message: "\(failures.count - Self.namedTestFailures) more tests failed"))
        }
    }

    /// What refreshes of stored credentials are made from where their URL is one of https.
    private func refreshSecurity(
        _ configuration: Configuration, _ previous: CompiledPolicy?, by tls: inout TLSCompiler
    ) -> [String: CompiledClientTLS] {
        var contexts: [String: CompiledClientTLS] = [:]
        for (name, credential) in configuration.storedCredentials.sorted(by: { $0.key < $1.key }) {
            guard let refresh = credential.refresh, FetchAddress.isSecure(refresh.url.value) else { continue }
            contexts[name] = tls.client(refresh, before: previous?.refreshSecurity[name])
        }
        return contexts
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

    /// What is known of the names of the servers: names that the policy in force has keep their answers, and the others are looked up,
    /// all at once.
    private func answers(
        for upstreams: [String: UpstreamConfiguration], _ previous: CompiledPolicy?
    ) -> [String: NameAnswer] {
        guard resolution != .skipped else { return [:] }
        var answers: [String: NameAnswer] = [:]
        var unknown: [String] = []
        for name in UpstreamResolution.names(in: upstreams.values) {
            if let known = previous?.names[name] { answers[name] = known } else { unknown.append(name) }
        }
        guard !unknown.isEmpty else { return answers }
        let found = lookups.answers(for: unknown, within: resolution.wait(isReload: previous != nil))
        return answers.merging(found) { _, new in new }
    }

    /// Every upstream in the order of their names, with the servers that `names` lead to.
    private func resolve(
        _ upstreams: [String: UpstreamConfiguration], _ names: [String: NameAnswer], into load: inout PolicyLoad
    ) -> [CompiledPolicy.Upstream] {
        let resolved = upstreams.sorted { $0.key < $1.key }.map { name, configuration in
            CompiledPolicy.Upstream(
                name: name, configuration: configuration,
                servers: UpstreamResolution.servers(of: configuration, answers: names))
        }
        for missing in UpstreamResolution.unresolved(in: resolved, answers: names) {
            let isAlone = resolved.first { $0.name == missing.upstream }?.servers.isEmpty ?? true
            load.diagnostics.append(
                Diagnostic(
                    .warning, .serverInvalid, file: path, position: missing.server.position, path: missing.server.path,
                    message: missing.message
                        + (isAlone ? "; until it is resolved, requests are answered 503 upstream_unresolved" : "; its server is left out")))
        }
        return resolved
    }
}
