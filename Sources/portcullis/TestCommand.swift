import ArgumentParser
import Gateway
import Policy

/// `portcullis test`
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run the tests a policy file carries.",
        discussion: """
            Each of "tests", and of the file that "tests_file" names, is a request and what must become of it. The \
            decisions are the gateway's own; nothing is opened, fetched or sent. API keys are shown by their ids, \
            tokens are made from claims and signed by a key that is thrown away.

              portcullis test
              portcullis test --config /etc/portcullis/gateway.json --filter "a stranger"
              portcullis test --json | jq '.tests[] | select(.passed | not)'

            "check" runs the same tests, and so do "serve" and every reload: a policy whose tests fail is not taken.

            Ends with 0 when all tests pass, 1 when one fails or the policy has another mistake, and 2 when the file \
            cannot be read, or no test has a name that --filter finds.
            """)

    @Option(help: "The policy file.")
    var config = "gateway.json"

    @Option(help: "Run only tests whose name contains this.")
    var filter = ""

    @Flag(help: "Print the result as one JSON object on standard output.")
    var json = false

    func run() throws {
        let load = PolicySource(path: config, resolution: .skipped).load(testsNamed: filter)
        let report = TestReport(file: config, runs: load.testRuns)
        // A failed test is told by the report; everything else that is wrong keeps the tests from running.
        let mistakes = load.diagnostics.filter { $0.severity == .error && $0.code != .testFailed }
        for mistake in mistakes { Output.error(mistake.description) }
        if load.isUnreadable { throw ExitCode(ExitStatus.unusable) }
        if mistakes.isEmpty, !filter.isEmpty, report.runs.isEmpty {
            Output.error("portcullis test: no test of \(OneLine.plain(config)) has \(Output.quoted(filter)) in its name")
            throw ExitCode(ExitStatus.unusable)
        }
        if mistakes.isEmpty {
            Output.line(json ? report.json : report.text)
        } else if json {
            Output.line(CheckReport(file: config, diagnostics: load.diagnostics).json)
        }
        if !mistakes.isEmpty || report.failures > 0 { throw ExitCode(ExitStatus.refused) }
    }
}
