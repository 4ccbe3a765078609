import Dispatch

/// Loads policies one at a time on a queue of its own, so that the control queue heeds signals meanwhile however much there is to read,
/// to test and to look up. What asks for a load while one is under way causes one more behind it, whatever the number. Belongs to the
/// control queue.
final class PolicyLoader: @unchecked Sendable {
    private let source: PolicySource
    private let control: DispatchQueue
    private let loading = DispatchQueue(label: "portcullis.loading", qos: .utility)
    private var isLoading = false
    private var nextCause: String?

    /// The policy that is loaded is compared with this one.
    var previous: () -> CompiledPolicy = { preconditionFailure("set before the first load") }
    /// Takes what was loaded, and what caused it.
    var take: (PolicyLoad, String) -> Void = { _, _ in }

    init(source: PolicySource, control: DispatchQueue) {
        self.source = source
        self.control = control
    }

    /// Loads the policy as the files are from now on.
    func load(because cause: String) {
        guard !isLoading else {
            nextCause = cause
            return
        }
        isLoading = true
        let (source, previous) = (source, previous())
        loading.async {
            let load = source.load(previous: previous)
            self.control.async { self.finished(load, cause) }
        }
    }

    private func finished(_ load: PolicyLoad, _ cause: String) {
        isLoading = false
        take(load, cause)
        if let cause = nextCause {
            nextCause = nil
            self.load(because: cause)
        }
    }
}
