import Core
import Gateway
import Policy

/// What `test` prints, for people and for programs.
struct TestReport {
    let file: String
    let runs: [PolicyTestRun]

    var failures: Int { runs.count { !$0.result.isMet } }

    /// A line for each test, below a failed one what was expected and what was found, and a line for all of them.
    var text: String {
        var lines: [String] = []
        for run in runs {
            let result = run.result
            lines.append("\(result.isMet ? "ok    " : "FAILED") \(OneLine.plain(result.name)) (\(Self.text(run.duration)))")
            for mismatch in result.mismatches {
                let place = "\(result.file):\(mismatch.position.line):\(mismatch.position.column)"
                lines.append("       \(place): \(mismatch.member)")
                lines.append("         - \(mismatch.expected)")
                lines.append("         + \(mismatch.found)")
            }
        }
        let total = runs.reduce(Nanoseconds(0)) { $0 &+ $1.duration }
        let passed = runs.count - failures
        lines.append(
            runs.isEmpty
                ? "\(file): no tests"
                : "\(file): \(passed) passed, \(failures) failed (\(Self.text(total)))")
        return lines.joined(separator: "\n")
    }

    /// `{"file": …, "passed": 3, "failed": 1, "tests": [{"name": …, "passed": …, "microseconds": …, "line": …,
    /// "mismatches": [{"member": …, "expected": …, "found": …, "line": …, "column": …}]}]}`
    var json: String {
        var out: [UInt8] = []
        out.append("{\"file\":")
        out.append(jsonString: file)
        out.append(",\"passed\":")
        out.append(decimal: runs.count - failures)
        out.append(",\"failed\":")
        out.append(decimal: failures)
        out.append(",\"tests\":[")
        for (index, run) in runs.enumerated() {
            if index > 0 { out.append(",") }
            append(run, to: &out)
        }
        out.append("]}")
        return String(decoding: out, as: UTF8.self)
    }

    private func append(_ run: PolicyTestRun, to out: inout [UInt8]) {
        let result = run.result
        out.append("{\"name\":")
        out.append(jsonString: result.name)
        out.append(",\"passed\":")
        result.isMet ? out.append("true") : out.append("false")
        out.append(",\"microseconds\":")
        out.append(decimal: Int(run.duration / 1000))
        out.append(",\"file\":")
        out.append(jsonString: result.file)
        out.append(",\"line\":")
        out.append(decimal: result.position.line)
        out.append(",\"mismatches\":[")
        for (index, mismatch) in result.mismatches.enumerated() {
            if index > 0 { out.append(",") }
            out.append("{\"member\":")
            out.append(jsonString: mismatch.member)
            out.append(",\"expected\":")
            out.append(jsonString: mismatch.expected)
            out.append(",\"found\":")
            out.append(jsonString: mismatch.found)
            out.append(",\"line\":")
            out.append(decimal: mismatch.position.line)
            out.append(",\"column\":")
            out.append(decimal: mismatch.position.column)
            out.append("}")
        }
        out.append("]}")
    }

    private static func text(_ duration: Nanoseconds) -> String {
        duration < .milliseconds(10) ? "\(duration / 1000) µs" : "\(duration / .milliseconds(1)) ms"
    }
}
