import ArgumentParser
import Gateway
import Policy

/// `portcullis serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the gateway.",
        discussion: """
            Reads the policy, opens its listeners and serves until a signal ends it. Editing the file, or any file it \
            names, changes the running gateway; a file with a mistake changes nothing and is named with its line.

              portcullis serve
              portcullis serve --config /etc/portcullis/gateway.json

            SIGHUP reads everything again and reopens the access log. SIGTERM or SIGINT stops accepting after \
            bounds.drain_delay, finishes what is under way for at most bounds.drain_timeout, and ends with 0; a second \
            one ends at once, with 1.

            The gateway's own messages go to standard error, the access log to where "access_log" says.
            """)

    @Option(help: "The policy file.")
    var config = "gateway.json"

    @Flag(help: "Share addresses that another process listens on, to take its place without a gap.")
    var takeover = false

    func run() throws {
        let log = OperatorLog(writer: MessageWriter())
        // Nothing may be missing of what is said before an end with an error.
        defer { log.finish() }
        let source = PolicySource(path: config)
        let load = source.load()
        guard let policy = load.policy else {
            for diagnostic in load.diagnostics { log.tell(diagnostic) }
            throw ExitCode(load.isUnreadable ? ExitStatus.unusable : ExitStatus.refused)
        }
        let server: GatewayServer
        do {
            server = try GatewayServer(
                source: source, policy: policy, warnings: load.diagnostics, takesOver: takeover, log: log)
        } catch {
            log.error("\(error)")
            throw ExitCode(ExitStatus.unusable)
        }
        server.run()
    }
}
