import ArgumentParser
import Gateway
import Policy

/// `portcullis check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Look over a policy file and everything it names.",
        discussion: """
            Does what "serve" does with the file, short of opening a listener: reads it, follows every reference, \
            loads keys, key sets and secrets, compiles the routes. Names every mistake by file, line and column, and \
            warns of what is allowed and probably not meant.

              portcullis check
              portcullis check --config /etc/portcullis/gateway.json --strict
              portcullis check --online
              portcullis check --json | jq '.diagnostics[] | select(.severity == "error")'

            Ends with 0 when the gateway would take the file (warnings are printed), 1 when it would not, or, with \
            --strict, when there is a warning, and 2 when the file cannot be read.
            """)

    @Option(help: "The policy file.")
    var config = "gateway.json"

    @Flag(help: "Print the result as one JSON object on standard output.")
    var json = false

    @Flag(help: "Let warnings fail the check too.")
    var strict = false

    @Flag(help: "Fetch the key sets and issuers' metadata that the file names, too, and say what came.")
    var online = false

    func run() throws {
        let load = PolicySource(path: config, resolution: .advisory).load()
        let fetched = online ? load.policy.map { OnlineCheck($0.keySets, file: config) } : nil
        let report = CheckReport(file: config, diagnostics: load.diagnostics + (fetched?.diagnostics ?? []))
        if json {
            Output.line(report.json)
        } else {
            for diagnostic in report.diagnostics { Output.error(diagnostic.description) }
            for line in fetched?.lines ?? [] { Output.line(line) }
            if let policy = load.policy {
                Output.line(report.summary(of: policy))
            } else {
                Output.error(report.verdict)
            }
        }
        if load.isUnreadable { throw ExitCode(ExitStatus.unusable) }
        if load.policy == nil || report.errors > 0 || strict && report.warnings > 0 { throw ExitCode(ExitStatus.refused) }
    }
}
