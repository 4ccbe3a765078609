import Core
import IO
import Policy

/// An access log held against two policies: which of its requests the new one would answer differently.
package struct LogReplay: Sendable {
    /// Requests of one route that come to the same other end.
    package struct Group: Sendable {
        package var route: String?
        /// What the old policy says, and the new one: `let through to devices`, `refused 403 scope_missing`.
        package var before: String
        package var after: String
        package var count: Int
        /// One of them: its id, and the request.
        package var example: String
    }

    /// Lines that stand for different requests; more are counted and left aside.
    private static let distinctLimit = 1_000_000
    private static let lineByteLimit = 65_536

    /// The most frequent first.
    package private(set) var groups: [Group] = []
    package private(set) var requests = 0
    /// Answered alike by both.
    package private(set) var unchanged = 0
    /// Not answered by the old policy as the log says.
    package private(set) var leftAside = 0

    /// What a decision depends on, as far as a record tells.
    struct Request: Hashable {
        var method: String
        var host: String
        var path: String
        var client: IPAddress
        var auth: String
        var credential: String?
        var subject: String?
        var reason: String?
        var route: String?

        init(_ logged: LoggedRequest, method: String, path: String) {
            self.method = method
            host = logged.host ?? "localhost"
            self.path = path
            client = logged.client
            auth = logged.auth
            credential = logged.credential
            subject = logged.subject
            reason = logged.reason
            route = logged.route
        }
    }

    private struct Occurrence {
        var count: Int
        var time: WallTime
        var requestID: String
    }

    private var occurrences: [Request: Occurrence] = [:]

    package static func run(
        _ path: String, from old: PolicySource, to new: PolicySource
    ) throws(ExplainFault) -> LogReplay {
        var replay = LogReplay()
        try replay.read(path)
        let ids = Set(replay.occurrences.keys.compactMap { $0.auth == "api_key" ? $0.credential : nil })
        guard let before = old.rehearsal(showing: ids), let after = new.rehearsal(showing: ids) else {
            throw ExplainFault("a policy cannot be used any more")
        }
        replay.compare(before, after)
        return replay
    }

    // MARK: The log

    private mutating func read(_ path: String) throws(ExplainFault) {
        var rest: [UInt8] = []
        var number = 0
        do throws(LocalFileFault) {
            let file = try LocalFile(path: path)
            while let chunk = try file.next() {
                rest += chunk
                var start = 0
                while let end = rest[start...].firstIndex(of: 0x0A) {
                    number += 1
                    take(Array(rest[start..<end]), number)
                    start = end + 1
                }
                rest.removeFirst(start)
                if rest.count > Self.lineByteLimit { break }
            }
        } catch {
            throw ExplainFault(error.message)
        }
        if !rest.isEmpty { take(rest, number + 1) }
        if let fault { throw ExplainFault("\(OneLine.plain(path)):\(fault.line): \(fault.message)") }
    }

    /// The first line that is no record.
    private var fault: (line: Int, message: String)?

    private mutating func take(_ line: [UInt8], _ number: Int) {
        if fault != nil || line.allSatisfy({ $0 <= 0x20 }) { return }
        do throws(ExplainFault) {
            let logged = try LoggedRequest(line)
            requests += 1
            // Bytes that were no request have no method: no policy makes more of them.
            guard let method = logged.method, let path = logged.path else {
                unchanged += 1
                return
            }
            let request = Request(logged, method: method, path: path)
            guard occurrences[request] != nil || occurrences.count < Self.distinctLimit else {
                leftAside += 1
                return
            }
            occurrences[request, default: Occurrence(count: 0, time: logged.time, requestID: logged.requestID)].count += 1
        } catch {
            fault = (number, error.message)
        }
    }

    // MARK: The policies

    private struct GroupKey: Hashable {
        var route: String?
        var before: String
        var after: String
    }

    private mutating func compare(_ old: PolicyRehearsal, _ new: PolicyRehearsal) {
        var found: [GroupKey: Group] = [:]
        for (request, occurrence) in occurrences {
            var test = Self.test(request, occurrence.time, scheme: "http", scopes: old.scopes(ofRoute: request.route))
            var before = old.reply(to: test, now: occurrence.time)
            if before?.reason == "https_required", request.reason != "https_required" {
                test = Self.test(request, occurrence.time, scheme: "https", scopes: old.scopes(ofRoute: request.route))
                before = old.reply(to: test, now: occurrence.time)
            }
            guard let before, Self.fits(before, request) else {
                leftAside += occurrence.count
                continue
            }
            // A credential the new policy does not have is one that nobody knows.
            let after = new.reply(to: test, now: occurrence.time) ?? new.reply(to: Self.unknown(test), now: occurrence.time)
            guard let after, after != before else {
                unchanged += occurrence.count
                continue
            }
            let key = GroupKey(route: request.route, before: Self.text(before), after: Self.text(after))
            let example = "\(occurrence.requestID) \(request.method) \(request.host)\(request.path)"
            found[key, default: Group(route: key.route, before: key.before, after: key.after, count: 0, example: example)]
                .count += occurrence.count
        }
        groups = found.values.sorted {
            ($1.count, $0.route ?? "", $0.before, $0.after) < ($0.count, $1.route ?? "", $1.before, $1.after)
        }
        occurrences = [:]
    }

    /// The record's request as a test. A token is taken to have the scopes that its route asked for, and no others.
    static func test(
        _ request: Request, _ time: WallTime, scheme: String, scopes: [String]
    ) -> PolicyTestConfiguration {
        let nowhere = SourcePosition(line: 1, column: 1)
        var test = PolicyTestConfiguration(
            name: "", file: "", position: nowhere, path: "",
            request: Located("\(request.method) \(scheme)://\(request.host)\(request.path)", at: nowhere, path: ""))
        test.client = request.client
        test.time = time
        switch request.auth {
        case "api_key": test.key = request.credential.map { .named(Located($0, at: nowhere, path: "")) }
        case "jwt":
            var token = PolicyTestConfiguration.Token()
            func claim(_ name: String, _ value: String) {
                token.claims.append(
                    JSONMember(name: name, namePosition: nowhere, node: JSONNode(.string(value), at: nowhere)))
            }
            if let subject = request.subject { claim("sub", subject) }
            if let id = request.credential { claim("jti", id) }
            claim("scope", scopes.joined(separator: " "))
            test.token = token
        default: break
        }
        return test
    }

    private static func unknown(_ test: PolicyTestConfiguration) -> PolicyTestConfiguration {
        var test = test
        test.key = nil
        test.token = nil
        return test
    }

    /// The old policy says what the log says; that an upstream failed is no policy's word.
    private static func fits(_ reply: PolicyRehearsal.Reply, _ request: Request) -> Bool {
        let denial = Denial.all.first { $0.reason == request.reason }
        let wasAllowed = request.reason == nil || denial.map { $0.step >= .upstream } ?? false
        return reply.route == request.route && (wasAllowed ? reply.isAllowed : reply.reason == request.reason)
    }

    private static func text(_ reply: PolicyRehearsal.Reply) -> String {
        guard reply.isAllowed else { return "refused \(reply.status ?? 0) \(reply.reason ?? "")" }
        return "let through" + (reply.upstream.map { " to \($0)" } ?? "") + (reply.route.map { " by the route \($0)" } ?? "")
    }
}

extension PolicySource {
    /// The policy, to be asked about requests.
    func rehearsal(showing ids: Set<String>) -> PolicyRehearsal? {
        let files = PolicyFiles(fileName: path, previous: [], cryptography: cryptography, hashSeed: hashSeed)
        guard let bytes = try? LocalFile(path: path).bytes(atMost: Self.byteLimit),
            let configuration = ConfigurationReader.read(
                bytes.span, file: path, parserReasons: Self.parserReasons
            ).configuration
        else { return nil }
        return PolicyRehearsal.compile(
            configuration, environment: files, showing: ids, now: EventLoop.readClocks().wall,
            readHead: { RequestHead.read($0, bounds: $1, into: &$2) })
    }
}
