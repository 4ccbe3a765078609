import Core
import Crypto
package import Policy

extension KeyMaker {
    /// Makes keys as an authenticator of the policy wants them; nil for one that keeps none in the store.
    package init?(_ authenticator: String, in snapshot: Snapshot) {
        guard case .apiKey(let keys) = snapshot.configuration.authenticators[authenticator]?.kind, keys.isStored else { return nil }
        let format = keys.format
        self.init(digestMember: keys.pepper == nil ? .sha256 : .hmacSHA256) {
            let text = format.makeKey { SecureRandom.word() }
            return (text, snapshot.storedKeyDigest(text.span, of: authenticator))
        }
    }
}
