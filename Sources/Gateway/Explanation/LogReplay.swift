import Core
import IO
import Policy

/// An access log held against two policies: which of its requests the new one would answer differently.
package struct LogReplay {
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

    /// Requests of which nothing is said.
    package struct Aside: Sendable {
        /// What it depends on, as in `the header X-Version`.
        package var cause: String
        package var count: Int
        /// One of them: its id, and the request.
        package var example: String
    }

    private static let lineByteLimit = 65_536
    /// Records that are put into their order together.
    private static let orderedLimit = 131_072

    /// The most frequent first.
    package private(set) var groups: [Group] = []
    package private(set) var requests = 0
    /// Answered alike by both.
    package private(set) var unchanged = 0
    /// Those whose answer depends on more than the log has, the most frequent first.
    package private(set) var asides: [Aside] = []
    package var leftAside: Int { asides.reduce(0) { $0 + $1.count } }

    private struct GroupKey: Hashable {
        var route: String?
        var before: String
        var after: String
    }

    private let policies: PolicyReplay
    private var found: [GroupKey: Group] = [:]
    private var causes: [String: Aside] = [:]
    /// Read and not replayed yet. Loops hand their records over in batches, and each when its request has ended; buckets
    /// were taken from when it came.
    private var pending: [(logged: LoggedRequest, number: Int)] = []
    /// The first line that is no record.
    private var fault: (line: Int, message: String)?

    private init(_ policies: PolicyReplay) { self.policies = policies }

    package static func run(
        _ path: String, from old: PolicySource, to new: PolicySource
    ) throws(ExplainFault) -> LogReplay {
        guard let before = old.rehearsal(), let after = new.rehearsal() else {
            throw ExplainFault("a policy cannot be used any more")
        }
        var replay = LogReplay(PolicyReplay(from: before, try old.document(), to: after, try new.document()))
        try replay.read(path)
        replay.replay(replay.pending.count)
        replay.sort()
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

    private mutating func take(_ line: [UInt8], _ number: Int) {
        if fault != nil || line.allSatisfy({ $0 <= 0x20 }) { return }
        do throws(ExplainFault) {
            var logged = try LoggedRequest(line)
            logged.line = []
            pending.append((logged, number))
            if pending.count >= Self.orderedLimit { replay(Self.orderedLimit / 2) }
        } catch {
            fault = (number, error.message)
        }
    }

    /// Replays the first of the records that wait.
    private mutating func replay(_ count: Int) {
        // Of one millisecond those come last that found a bucket empty.
        let limited = Denial.rateLimited.reason
        pending.sort { a, b in
            let (first, second) = (a.logged, b.logged)
            if first.arrival != second.arrival { return first.arrival < second.arrival }
            if (first.reason == limited) != (second.reason == limited) { return second.reason == limited }
            return a.number < b.number
        }
        for (logged, _) in pending.prefix(count) { take(logged) }
        pending.removeFirst(count)
    }

    private mutating func take(_ logged: LoggedRequest) {
        requests += 1
        guard let facts = logged.facts else {
            // Bytes that were no request: no policy makes more of them, but its listeners may.
            let isOfListener = logged.reason.map(RequestFault.isOfListener(reason:)) ?? false
            isOfListener ? leaveAside("the listener it came to", logged) : (unchanged += 1)
            return
        }
        switch policies.outcome(of: facts, at: logged.arrival) {
        case .unchanged: unchanged += 1
        case .leftAside(let cause): leaveAside(cause, logged)
        case .different(let before, let after):
            let key = GroupKey(route: logged.route, before: Self.text(before), after: Self.text(after))
            found[key, default: Group(
                route: key.route, before: key.before, after: key.after, count: 0, example: Self.example(logged))
            ].count += 1
        }
    }

    private mutating func leaveAside(_ cause: String, _ logged: LoggedRequest) {
        causes[cause, default: Aside(cause: cause, count: 0, example: Self.example(logged))].count += 1
    }

    private mutating func sort() {
        groups = found.values.sorted {
            ($1.count, $0.route ?? "", $0.before, $0.after) < ($0.count, $1.route ?? "", $1.before, $1.after)
        }
        asides = causes.values.sorted { ($1.count, $0.cause) < ($0.count, $1.cause) }
    }

    private static func example(_ logged: LoggedRequest) -> String {
        "\(logged.requestID) \(logged.method ?? "") \(logged.host ?? "")\(logged.path ?? "")"
    }

    private static func text(_ reply: PolicyRehearsal.Reply) -> String {
        guard reply.isAllowed else {
            let routes = reply.otherRoute.map { " (routes \(reply.route ?? "") and \($0))" } ?? ""
            return "refused \(reply.status ?? 0) \(reply.reason ?? "")\(routes)"
        }
        return "let through" + (reply.upstream.map { " to \($0)" } ?? "") + (reply.route.map { " by the route \($0)" } ?? "")
    }
}

extension PolicySource {
    /// The policy, to be asked about requests.
    func rehearsal() -> PolicyRehearsal? {
        let files = PolicyFiles(fileName: path, previous: [], cryptography: cryptography, hashSeed: hashSeed)
        guard let bytes = try? LocalFile(path: path).bytes(atMost: Self.byteLimit),
            let configuration = ConfigurationReader.read(
                bytes.span, file: path, parserReasons: Self.parserReasons
            ).configuration
        else { return nil }
        return PolicyRehearsal.compile(
            configuration, environment: files, showing: [], now: EventLoop.readClocks().wall,
            readHead: { RequestHead.read($0, bounds: $1, into: &$2) })
    }
}
