import ArgumentParser

private import Glibc

/// Where the process begins: parses the arguments and runs the command they name.
@main
enum Program {
    static func main() {
        let before = ProcessStart.settle()
        do {
            var command = try Portcullis.parseAsRoot()
            if !(command is ServeCommand) { ProcessStart.restore(before) }
            try command.run()
        } catch {
            // sysexits' 64 for bad usage becomes the 2 that every command documents.
            guard Portcullis.exitCode(for: error) == .validationFailure else { Portcullis.exit(withError: error) }
            Output.error(usage(Portcullis.fullMessage(for: error)))
            exit(ExitStatus.unusable)
        }
    }

    /// One line of the parser's several: what is wrong, and where to read more. Values that were given are left out: one that
    /// stands where nothing belongs may be a secret.
    static func usage(_ message: String) -> String {
        let lines = message.split(separator: "\n").map(String.init)
        var fault = lines.first ?? ""
        if fault.hasPrefix("Error: ") { fault.removeFirst("Error: ".count) }
        if fault.contains("nexpected argument") {
            let isCommand = lines.contains { $0.hasPrefix("Usage:") && $0.hasSuffix("<subcommand>") }
            fault = isCommand ? "There is no such command" : "There is an argument too many"
        } else if fault.hasPrefix("The value '"), let end = fault.ranges(of: "' is invalid").last {
            fault = "A value" + fault[fault.index(after: end.lowerBound)...]
        } else if fault.hasPrefix("Unknown option '"), let equals = fault.firstIndex(of: "=") {
            fault = fault[..<equals] + "'"
        }
        let help = lines.last { $0.contains("--help'") }?.drop { $0 == " " }.replacing(" for more information.", with: "")
        return "Error: \(fault)" + (help.map { ". \($0)" } ?? "")
    }
}
