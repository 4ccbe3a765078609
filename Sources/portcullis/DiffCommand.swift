import ArgumentParser
import Gateway
import Policy

/// `portcullis diff`
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say in words what is different between two policy files.",
        discussion: """
            Tells which routes, keys, authenticators, limits, upstreams and listeners changed, and where the new file \
            says so. With an access log it also asks both policies about the logged requests, in their order and at \
            their times, each with what stands for its credential, and tells which would now be answered differently.

              portcullis diff gateway.json candidate.json
              portcullis diff gateway.json candidate.json --against var/access.jsonl
              portcullis diff --json gateway.json candidate.json

            Requests whose answer depends on what no log has (other headers, the scopes and claims of tokens, what \
            buckets held before) are counted and left aside, with what it is.

            Ends with 0 when nothing is different, 1 when something is, and 2 when a file cannot be used.
            """)

    @Argument(help: "The policy file as it was.")
    var old: String

    @Argument(help: "The policy file as it is to be.")
    var new: String

    @Option(help: "An access log: one record a line.")
    var against: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        do {
            let (before, after) = (try load(old), try load(new))
            let changes = try PolicyDifference.changes(from: before, to: after)
            let replay = try against.map { try LogReplay.run($0, from: before, to: after) }
            let report = DiffReport(changes: changes, replay: replay)
            Output.line(json ? report.json : report.text)
            if !changes.isEmpty || !(replay?.groups.isEmpty ?? true) { throw ExitCode(ExitStatus.refused) }
        } catch let fault as ExplainFault {
            Output.error("portcullis diff: \(fault.message)")
            throw ExitCode(ExitStatus.unusable)
        }
    }

    private func load(_ path: String) throws -> PolicySource {
        let source = PolicySource(path: path, resolution: .skipped)
        let load = source.load(testsNamed: nil)
        if load.policy != nil { return source }
        for diagnostic in load.diagnostics where diagnostic.severity == .error { Output.error(diagnostic.description) }
        throw ExitCode(ExitStatus.unusable)
    }
}
