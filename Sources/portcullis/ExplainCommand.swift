import ArgumentParser
import Core
import Gateway
import Policy

/// `portcullis explain`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why a request is let through or refused, and by which line of the file.",
        discussion: """
            Decides one request as the gateway would and prints every step: the route and those that nearly fit, the \
            credential, each rule with its verdict and its place in the file, the limits, what the upstream gets, and \
            the answer. Nothing is sent and nothing is counted. Credentials are never printed.

              portcullis explain http://localhost:8080/api/v1/limited -H 'X-API-Key: demo_…'
              portcullis explain --curl 'curl -H "Authorization: Bearer …" https://api.example/users'
              portcullis explain --config candidate.json --from 10.1.2.3 --at 2027-01-01T00:00:00Z -X POST http://a/b
              portcullis explain < captured-request-head
              portcullis explain --request-id rq_… --config gateway.json

            Without --from a request to localhost comes from 127.0.0.1, another one from 192.0.2.1, an address of nobody. \
            Key sets with a URL are fetched, unless --offline says not to; the store is read. --request-id asks the admin \
            listener of the running gateway for the access record, finds the rule in the file, and decides again as far as \
            the record tells.

            The listener is that of the URL's port. Where none has it, the one that fits best is taken, and said: what \
            stands before the gateway may have another port. --cert, and that of a curl line, is read for the \
            certificate alone, never for its key.

            Ends with 0 when the request would be let through, 1 when it would be refused or sent elsewhere, and 2 when \
            it cannot be told.
            """)

    @Option(help: "The policy file.")
    var config = "gateway.json"

    @Option(name: [.customShort("X", allowingJoined: true), .customLong("method")], help: "The method; GET, or POST with --body-bytes.")
    var method: String?

    @Option(
        name: [.customShort("H", allowingJoined: true), .customLong("header")], parsing: .unconditionalSingleValue,
        help: "A header, as 'Name: value'. May be given more than once.")
    var headers: [String] = []

    @Option(help: "How many bytes of content the request announces.")
    var bodyBytes: Int?

    @Option(help: "The address of the connection's other end.")
    var from: String?

    @Option(help: "When the request is made: a moment of RFC 3339, or seconds since 1970.")
    var at: String?

    @Option(parsing: .unconditional, help: "A whole curl command line, in place of a URL.")
    var curl: String?

    @Option(help: "The client certificate, a PEM file; its key is not needed.")
    var cert: String?

    @Option(help: "The id of a request that the running gateway answered.")
    var requestId: String?

    @Flag(help: "Do not fetch key sets.")
    var offline = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(help: "The URL of the request; without it, a request head is read from standard input.")
    var url: String?

    func run() throws {
        do {
            try checkOptions()
            let load = PolicySource(path: config, resolution: .skipped).load(testsNamed: nil)
            guard let policy = load.policy else {
                for diagnostic in load.diagnostics where diagnostic.severity == .error {
                    Output.error(diagnostic.description)
                }
                throw ExitCode(ExitStatus.unusable)
            }
            if let requestId { try explainLogged(requestId, under: policy) } else { try explain(under: policy) }
        } catch let fault as ExplainFault {
            Output.error("portcullis explain: \(fault.message)")
            throw ExitCode(ExitStatus.unusable)
        }
    }

    /// An option that would change nothing is an error: something else would be explained than was asked.
    private func checkOptions() throws(ExplainFault) {
        let names = [
            (method != nil, "-X"), (!headers.isEmpty, "-H"), (bodyBytes != nil, "--body-bytes"),
            (requestId != nil && cert != nil, "--cert"), (requestId != nil && from != nil, "--from"),
            (requestId != nil && at != nil, "--at"),
        ].filter(\.0).map(\.1).joined(separator: ", ")
        if requestId != nil {
            guard url == nil, curl == nil, names.isEmpty else {
                throw ExplainFault("--request-id is of a request that is known: leave out \(names.isEmpty ? "the other request" : names)")
            }
        } else if curl != nil {
            guard url == nil else { throw ExplainFault("give a URL or --curl, not both") }
            guard names.isEmpty else { throw ExplainFault("\(names) goes with a URL; write it into the line of --curl") }
        } else if url == nil, !names.isEmpty {
            throw ExplainFault("\(names) goes with a URL; without one, a request head is read from standard input as it is")
        }
    }

    private func explain(under policy: CompiledPolicy) throws {
        var request = try self.request()
        if let from { request.client = try ExplainValue.address(from) }
        if let path = cert ?? request.certificatePath { request.certificate = try ExplainRequest.certificate(inFile: path) }
        if let at { request.time = try ExplainValue.time(at) }
        if offline {
            let names = KeySetsAtHand.remote(policy)
            if !names.isEmpty { request.remarks.append("not fetched: the key set \(names.joined(separator: ", "))") }
        } else {
            let missing = KeySetsAtHand.fetch(policy, log: OperatorLog())
            if !missing.isEmpty {
                request.remarks.append("could not be fetched: the key set \(missing.joined(separator: ", "))")
            }
        }
        let directory = StoreAtHand.directory(of: policy, remarks: &request.remarks, log: OperatorLog())
        let explanation = try ExplainablePolicy(policy).explain(request, directory: directory)
        if json {
            var out: [UInt8] = []
            explanation.append(json: &out)
            Output.line(String(decoding: out, as: UTF8.self))
        } else {
            Output.line(explanation.text(isColoured: Output.isColoured))
        }
        if !explanation.isLetThrough { throw ExitCode(ExitStatus.refused) }
    }

    private func request() throws(ExplainFault) -> ExplainRequest {
        if let curl { return try CurlCommand.request(curl) }
        guard let url else { return try .raw(Output.standardInput(atMost: Int(FixedBounds.explainBytes))) }
        var fields: [(name: String, value: String)] = []
        for header in headers {
            guard let colon = header.firstIndex(of: ":") else {
                throw ExplainFault("a header is written as 'Name: value'")
            }
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            fields.append((String(header[..<colon]), String(value)))
        }
        return try .made(
            method: method ?? (bodyBytes == nil ? "GET" : "POST"), url: url, headers: fields, contentBytes: bodyBytes)
    }

    /// Prints the record of a request that was answered, and the rule it was answered by.
    private func explainLogged(_ id: String, under policy: CompiledPolicy) throws {
        guard let admin = policy.snapshot.configuration.admin else {
            throw ExplainFault("\(config) has no \"admin\" listener to ask for the request")
        }
        let logged = try LoggedRequest.fetch(
            id, from: admin.address, showing: PolicySource(path: config).adminToken(), isSecure: admin.tls != nil)
        let rule = logged.rule(in: ExplainablePolicy(policy))
        let source = PolicySource(path: config, resolution: .skipped)
        let explanation = logged.explanation(in: source, text: ExplainablePolicy(policy))
        let record = String(decoding: logged.line, as: UTF8.self)
        if json {
            let place = rule.map { rule in
                "{\"file\":\(Output.quoted(rule.file)),\"line\":\(rule.position.line),"
                    + "\"column\":\(rule.position.column),\"path\":\(Output.quoted(rule.path))}"
            }
            var steps: [UInt8] = []
            if let explanation { explanation.append(json: &steps) } else { steps += "null".utf8 }
            let told = String(decoding: steps, as: UTF8.self)
            Output.line("{\"record\":\(record),\"rule\":\(place ?? "null"),\"explanation\":\(told)}")
        } else {
            Output.line(record)
            let verdict = logged.reason.map { "refused: \(logged.status) \($0)" } ?? "let through: \(logged.status)"
            let place = rule.map { " by \($0) (\($0.path))" } ?? ""
            Output.line(verdict + (logged.route.map { " by the route \($0)" } ?? "") + place + "\n")
            Output.line(
                explanation?.text(isColoured: Output.isColoured)
                    ?? "Note: the record does not lead there again: what the request rests on beside it is not in the log")
        }
        if logged.reason != nil { throw ExitCode(ExitStatus.refused) }
    }
}
