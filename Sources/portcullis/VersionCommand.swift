import ArgumentParser

/// `portcullis version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: "Prints one line, as in \"portcullis 1.2.3\".")

    func run() { Output.line("portcullis \(ProgramVersion.text)") }
}
