import ArgumentParser

private import Glibc

/// Where the process begins: parses the arguments and runs the command they name.
@main
enum Program {
    static func main() {
        do {
            var command = try Portcullis.parseAsRoot()
            try command.run()
        } catch {
            // sysexits' 64 for bad usage becomes the 2 that every command documents.
            guard Portcullis.exitCode(for: error) == .validationFailure else { Portcullis.exit(withError: error) }
            Output.error(Portcullis.fullMessage(for: error))
            exit(ExitStatus.unusable)
        }
    }
}
