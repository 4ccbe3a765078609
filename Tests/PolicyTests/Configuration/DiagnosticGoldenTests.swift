import Core
import Foundation
import Policy
import Testing

/// Every diagnostic by its exact line. The cases stand in `Tests/Vectors/configuration/diagnostics.golden`: a title
/// after "###", the members put into a correct document (those of its route after "@", or a whole document after
/// "---raw"), and after "---" the lines that come out.
@Suite struct DiagnosticGoldenTests {
    struct Case: CustomTestStringConvertible {
        var title: String
        var text: String
        var expected: [String]

        var testDescription: String { title }
    }

    static let cases: [Case] = {
        let file = URL(filePath: #filePath).appending(path: "../../../Vectors/configuration/diagnostics.golden")
        let text = (try? String(contentsOf: file.standardizedFileURL, encoding: .utf8)) ?? ""
        return text.components(separatedBy: "### ").dropFirst().map { block in
            var lines = block.components(separatedBy: "\n")
            let title = lines.removeFirst()
            let isRaw = lines.first == "---raw"
            if isRaw { lines.removeFirst() }
            let split = lines.firstIndex(of: "---") ?? lines.endIndex
            let body = lines[..<split].joined(separator: "\n")
            return Case(
                title: title,
                text: isRaw
                    ? body
                    : PolicyText.document(body.hasPrefix("@") ? PolicyText.route(String(body.dropFirst())) : body),
                expected: lines[split...].dropFirst().filter { !$0.isEmpty })
        }
    }()

    /// 2026-01-01T00:00:00Z.
    static let now = WallTime(seconds: 1_767_225_600)

    static func diagnostics(of text: String) -> [Diagnostic] {
        let (configuration, errors) = ConfigurationReader.read(text.utf8.span, file: "gateway.json")
        guard let configuration else { return errors }
        return errors + ConfigurationWarnings.review(configuration, file: "gateway.json", now: now)
    }

    @Test func `the cases are there`() {
        #expect(Self.cases.count > 100)
    }

    @Test(arguments: cases)
    func `a case prints exactly its lines`(of golden: Case) {
        #expect(Self.diagnostics(of: golden.text).map(\.description) == golden.expected)
    }

    @Test func `every code of the reader and of the warnings has a case`() {
        var seen: Set<DiagnosticCode> = []
        for golden in Self.cases { seen.formUnion(Self.diagnostics(of: golden.text).map(\.code)) }
        let missing = DiagnosticCode.allCases.filter {
            $0.stage != .compiling && $0 != .tooManyErrors && !seen.contains($0)
        }
        #expect(missing.isEmpty)
    }
}
