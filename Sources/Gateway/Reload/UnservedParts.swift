import Core
import Policy

/// What a policy file may say and this version of the gateway does not serve. Refused, so that nothing is served in
/// another way than the file says.
enum UnservedParts {
    static func diagnostics(of configuration: Configuration, file: String) -> [Diagnostic] {
        var found: [Diagnostic] = []
        func refuse(_ code: DiagnosticCode, _ position: SourcePosition, _ path: String, _ message: String) {
            found.append(Diagnostic(.error, code, file: file, position: position, path: path, message: message))
        }
        for (name, upstream) in configuration.upstreams.sorted(by: { $0.key < $1.key }) {
            guard let server = upstream.servers.first, !upstream.protocols.contains(.http11) else { continue }
            refuse(
                .http2Unsupported, server.position, "upstreams.\(name).servers",
                "HTTP/2 is not spoken with servers in this version")
        }
        return found
    }
}
