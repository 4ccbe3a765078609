import Core

@testable import Policy

/// What became of a key set document.
struct KeySetOutcome {
    let set: KeySet?
    let error: KeySetError?
    var kids: [String?]? { self.set?.keys.map(\.kid) }
    var skipped: [KeySet.SkippedKey.Reason]? { self.set?.skipped.map(\.reason) }

    init(_ document: String, isLocal: Bool) {
        self.init(Array(document.utf8), isLocal: isLocal)
    }

    init(_ document: [UInt8], isLocal: Bool) {
        do throws(KeySetError) {
            set = try KeySet.parse(document.span, isLocal: isLocal, cryptography: Sample.cryptography)
            error = nil
        } catch {
            set = nil
            self.error = error
        }
    }
}
