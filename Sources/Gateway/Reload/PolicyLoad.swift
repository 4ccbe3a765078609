package import Policy

/// What came of loading the policy.
package struct PolicyLoad: Sendable {
    /// Nil when there is at least one error.
    package var policy: CompiledPolicy?
    package var diagnostics: [Diagnostic] = []
    /// The files to watch for the next load, also when this one failed.
    package var watchedFiles: [WatchedFile] = []
    /// The policy's own tests that were run, in their order: none where the policy could not be compiled.
    package var testRuns: [PolicyTestRun] = []
    /// The policy file itself could not be read at all.
    package var isUnreadable = false

    package init() {}
}
