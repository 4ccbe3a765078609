package import Core
import HTTP1
import IO
package import Policy

/// One of the policy's tests, run.
package struct PolicyTestRun: Sendable {
    package var result: PolicyTestResult
    package var duration: Nanoseconds

    /// Runs tests one after the other. Empty when the policy does not compile.
    static func all(
        _ tests: [PolicyTestConfiguration], of configuration: Configuration, environment: PolicyFiles
    ) -> [PolicyTestRun] {
        var runs: [PolicyTestRun] = []
        var last = EventLoop.readClocks().instant
        // What comes before the first test is the policy's, not the test's.
        var isFirst = true
        _ = PolicyRehearsal.run(
            tests, of: configuration, environment: environment, now: EventLoop.readClocks().wall,
            readHead: { bytes, bounds, head in
                if isFirst {
                    last = EventLoop.readClocks().instant
                    isFirst = false
                }
                return RequestHead.read(bytes, bounds: bounds, into: &head)
            },
            each: { result in
                let now = EventLoop.readClocks().instant
                runs.append(PolicyTestRun(result: result, duration: now.since(last)))
                last = now
            })
        return runs
    }
}

extension RequestHead {
    /// Reads a whole head as the listeners do; the denial of one that is none, or is not whole.
    static func read(_ bytes: Span<UInt8>, bounds: Bounds, into head: inout RequestHead) -> Denial? {
        var parser = RequestHeadParser()
        switch parser.parse(bytes, bounds: bounds, into: &head) {
        case .complete: return nil
        case .incomplete: return Denial(.requestLineInvalid)
        case .malformed(let fault): return Denial(fault)
        }
    }
}
