package import Core
import IO
package import Policy

/// The input and output of compiling one policy: reads the files that it names, remembers them to be watched, and finds
/// each key set its place. One value serves one compilation.
package final class PolicyFiles: CompileEnvironment {
    package let cryptography: any Cryptography
    package let hashSeed: HashSeed
    package let fileName: String
    /// Files read so far, in the state they were in, also those that could not be read.
    package private(set) var watched: [WatchedFile] = []
    /// What is allowed and unwise about the files.
    package private(set) var warnings: [Diagnostic] = []
    /// Key sets that the policy uses.
    package private(set) var keySets: [CompiledKeySet] = []

    private let previous: [CompiledKeySet]

    /// `fileName` is the policy file as the operator named it; other files are found relative to its directory.
    /// `previous` are the key sets in force, whose places are kept.
    package init(fileName: String, previous: [CompiledKeySet], cryptography: any Cryptography, hashSeed: HashSeed) {
        self.fileName = fileName
        self.previous = previous
        self.cryptography = cryptography
        self.hashSeed = hashSeed
    }

    // MARK: Files

    /// A path of the policy as the operating system takes it.
    package func resolved(_ path: String) -> String { Self.resolved(path, from: fileName) }

    /// A path that a policy file names: relative ones begin at that file's folder.
    static func resolved(_ path: String, from fileName: String) -> String {
        if path.hasPrefix("/") { return path }
        return (fileName.lastIndex(of: "/").map { String(fileName[...$0]) } ?? "") + path
    }

    /// Opens a file, its path already resolved, and remembers it.
    package func open(_ path: String) throws(LocalFileFault) -> LocalFile {
        do throws(LocalFileFault) {
            let file = try LocalFile(path: path)
            watched.append(WatchedFile(path: path, seen: file.identity))
            return file
        } catch {
            // Watched all the same: it may appear, or become readable.
            watched.append(WatchedFile(path: path, seen: FileIdentity(path: path)))
            throw error
        }
    }

    package func secret(_ reference: SecretReference) throws(CompileFault) -> [UInt8] { try secret(reference, at: nil) }

    /// - Parameter place: where the policy names it, for warnings; nil where that is not known.
    func secret(_ reference: SecretReference, at place: Located<SecretReference>?) throws(CompileFault) -> [UInt8] {
        do throws(LocalFileFault) {
            switch reference {
            case .environment(let name): return try SecretSource.environment(name)
            case .file(let path):
                let file = try open(resolved(path))
                warnIfExposed(file.identity, path, place)
                return try SecretSource.file(file, path: path)
            }
        } catch {
            throw CompileFault(.secretUnreadable, error.message)
        }
    }

    /// What is no secret and named like one: certificates. At most `FixedBounds.pemBytes`.
    func content(_ reference: SecretReference) throws(CompileFault) -> [UInt8] {
        do throws(LocalFileFault) {
            switch reference {
            case .environment(let name): return try SecretSource.environment(name)
            case .file(let path): return try open(resolved(path)).bytes(atMost: FixedBounds.pemBytes)
            }
        } catch {
            throw CompileFault(.fileUnreadable, error.message)
        }
    }

    package func read(file path: String, take: (Span<UInt8>) throws(CompileFault) -> Void) throws(CompileFault) {
        let file: LocalFile
        do throws(LocalFileFault) { file = try open(resolved(path)) } catch {
            throw CompileFault(.fileUnreadable, error.message)
        }
        while let chunk = try next(of: file) { try take(chunk.span) }
    }

    private func next(of file: borrowing LocalFile) throws(CompileFault) -> [UInt8]? {
        do throws(LocalFileFault) { return try file.next() } catch {
            throw CompileFault(.fileUnreadable, error.message)
        }
    }

    /// A key set document, whole.
    private func document(_ path: String) throws(CompileFault) -> [UInt8] {
        do throws(LocalFileFault) { return try open(resolved(path)).bytes(atMost: FixedBounds.keySetBytes) } catch {
            throw CompileFault(.fileUnreadable, error.message)
        }
    }

    private func warnIfExposed(_ identity: FileIdentity, _ path: String, _ place: Located<SecretReference>?) {
        guard identity.isWorldReadable else { return }
        warn(
            .fileWorldReadable, place?.position, place?.path ?? "",
            "every user of this machine may read the secret in \(OneLine.plain(path))")
    }

    func warn(_ code: DiagnosticCode, _ position: SourcePosition?, _ path: String, _ message: String) {
        warnings.append(
            Diagnostic(.warning, code, file: fileName, position: position, path: path, message: message))
    }

    // MARK: Key sets

    package func keySetCell(
        named name: String, configuration: KeySetConfiguration
    ) throws(CompileFault) -> KeySetCell {
        let local = try localKeys(of: configuration)
        let cell: KeySetCell
        let known = previous.first { $0.cell.name == name && $0.configuration.source.isKept(by: configuration.source) }
        if let known {
            // In use by the policy in force: new keys are put in it only when this policy is adopted.
            cell = known.cell
        } else {
            cell = KeySetCell(
                name: name, isRemote: local == nil && !configuration.source.isStored, cooldown: configuration.cooldown,
                staleLimit: configuration.staleLimit)
            if let local { cell.install(local, now: EventLoop.readClocks(), freshFor: nil) }
        }
        keySets.append(CompiledKeySet(cell: cell, configuration: configuration, local: local))
        if let local { review(local, named: name, configuration) }
        return cell
    }

    /// The keys of a file or of the policy itself; nil for a key set that is fetched or stored.
    private func localKeys(of configuration: KeySetConfiguration) throws(CompileFault) -> KeySet? {
        let bytes: [UInt8]
        switch configuration.source {
        case .url, .discovery, .stored: return nil
        case .inline(let json, _): bytes = Array(json.utf8)
        case .file(let path), .pem(let path, _, _): bytes = try document(path.value)
        }
        do throws(KeySetError) { return try parse(bytes, configuration) } catch {
            guard case .secretTooShort(_, _, _, let place) = error else { throw CompileFault(.keySetInvalid, error.message) }
            switch configuration.source {
            case .file(let path):
                throw CompileFault(.hmacSecretShort, error.message, file: OneLine.plain(path.value), position: place)
            case .inline(_, let position): throw CompileFault(.hmacSecretShort, error.message, position: position)
            case .url, .discovery, .pem, .stored: throw CompileFault(.hmacSecretShort, error.message)
            }
        }
    }

    private func parse(
        _ document: [UInt8], _ configuration: KeySetConfiguration
    ) throws(KeySetError) -> KeySet {
        if case .pem(_, let kid, let algorithm) = configuration.source {
            return try KeySet.parse(pem: document.span, kid: kid, algorithm: algorithm, cryptography: cryptography)
        }
        return try KeySet.parse(
            document.span, isLocal: true, allowsShortSecrets: configuration.allowsShortSecrets, cryptography: cryptography)
    }

    private func review(_ set: KeySet, named name: String, _ configuration: KeySetConfiguration) {
        let path = "key_sets.\(name)"
        for key in set.skipped {
            warn(.keyUnusable, configuration.position, path, key.line)
        }
    }
}

extension KeySetConfiguration.Source {
    /// Keys from here may stay in force until `next` brings its own. Those of another URL may not: who changes the URL
    /// may no longer trust the old issuer.
    fileprivate func isKept(by next: KeySetConfiguration.Source) -> Bool {
        switch (self, next) {
        case (.url(let old), .url(let new)), (.discovery(let old), .discovery(let new)): old.value == new.value
        case (.stored, .stored): true
        case (.url, _), (_, .url), (.discovery, _), (_, .discovery), (.stored, _), (_, .stored): false
        case (.file, .file), (.file, .pem), (.file, .inline), (.pem, .file), (.pem, .pem), (.pem, .inline),
            (.inline, .file), (.inline, .pem), (.inline, .inline):
            true
        }
    }
}
