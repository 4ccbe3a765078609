package import Core

/// Turns the text of `gateway.json` into a `Configuration`, or into everything that is wrong with it.
///
/// Reading goes on after an error, so that one run of `portcullis check` names them all; the value in question takes
/// its default meanwhile, and no configuration comes out.
package struct ConfigurationReader {
    /// More errors than this are counted, not listed.
    package static let diagnosticLimit = 1000

    let file: String
    var diagnostics = DiagnosticList()
    var configuration = Configuration()
    /// Names that are defined, also where their definition has errors: a reference to those is no second error.
    var definedNames: [ReferenceKind: Set<String>] = [:]
    /// The routes of the file, in its order.
    var routeNodes: [LocatedNode] = []
    /// What routes inherit.
    var defaults = RouteDefaults(JSONNode(.null, at: SourcePosition(line: 1, column: 1)))
    /// Names of defaults that some route inherits.
    var inheritedDefaults: Set<String> = []
    var references: [(kind: ReferenceKind, name: Located<String>)] = []

    /// Where `"stored": true` stands.
    var storedPlaces: [LocatedNode] = []

    /// Every reason a profile can answer and a test can expect.
    let reasons: Set<String>

    private static let decisionReasons = Set(Denial.allReasons)

    init(file: String, parserReasons: [String]) {
        self.file = file
        reasons = Self.decisionReasons.union(parserReasons)
    }

    /// Reads a whole document.
    ///
    /// The configuration is nil exactly when a diagnostic is an error. Diagnostics come in the order of the text.
    /// - Parameters:
    ///   - file: the name for the diagnostics; nothing is opened.
    ///   - parserReasons: the reasons of malformed messages, which the parsers know; this module knows the others.
    package static func read(
        _ bytes: Span<UInt8>, file: String, parserReasons: [String] = []
    ) -> (configuration: Configuration?, diagnostics: [Diagnostic]) {
        let document: JSONNode
        do throws(JSONError) {
            document = try JSONNode.parse(bytes, dialect: .policy)
        } catch {
            return (nil, [Diagnostic(error, in: bytes, file: file)])
        }
        var reader = ConfigurationReader(file: file, parserReasons: parserReasons)
        reader.readDocument(LocatedNode(node: document, path: ""))
        reader.noteUnusedDefaults()
        reader.checkReferences()
        reader.checkActionKeySets()
        reader.checkTemplatesAcrossRoutes()
        reader.checkIssuers()
        let diagnostics = reader.sortedDiagnostics()
        return (diagnostics.contains { $0.severity == .error } ? nil : reader.configuration, diagnostics)
    }

    /// Every object of the file by the name of its shape, with the members it may have.
    package static let memberTable: [String: [ObjectShape.Member]] =
        Dictionary(uniqueKeysWithValues: ObjectShape.allCases.map { ($0.rawValue, $0.members) })

    func sortedDiagnostics() -> [Diagnostic] {
        let start = SourcePosition(line: 0, column: 0)
        var sorted = diagnostics.all.enumerated().sorted { a, b in
            let (first, second) = (a.element.position ?? start, b.element.position ?? start)
            return (first.line, first.column, a.offset) < (second.line, second.column, b.offset)
        }.map(\.element)
        if sorted.count > Self.diagnosticLimit {
            let rest = sorted.count - Self.diagnosticLimit
            sorted.removeLast(rest)
            sorted.append(
                Diagnostic(
                    .error, .tooManyErrors, file: file, position: nil, path: "",
                    message: "\(rest) more errors are not shown"))
        }
        return sorted
    }
}

/// What a name in the file may refer to.
enum ReferenceKind: String, CaseIterable {
    case upstream = "upstream"
    case limit = "limit"
    case authenticator = "authenticator"
    case keySet = "key set"
    case profile = "response profile"
    case storedCredential = "stored credential"
}

extension Diagnostic {
    /// A syntax error of the file's JSON, which is `bytes`.
    package init(_ error: JSONError, in bytes: Span<UInt8>, file: String) {
        var mistake = JSONMistake(error, in: bytes)
        // The name comes from the file and is shown escaped.
        if case .duplicateMember(let name) = error.reason { mistake.message = "the member \(quoted(name)) appears twice" }
        self.init(.error, .jsonInvalid, file: file, position: mistake.position, path: "", message: mistake.message)
    }
}
