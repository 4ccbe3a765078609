import Core
import Policy
import Store

/// Keys that exist elsewhere and come into the store by their digests.
extension APIKeyResource {
    /// The digest that the content brings; nil where it brings none, and where the route imports none: then the member is unknown.
    ///
    /// That a digest is taken is told: a caller who may import learns which keys exist by trying their digests, so routes allow it
    /// only where the policy says so.
    func importedDigest(_ content: inout ParameterReader, _ maker: KeyMaker) -> Digest256? {
        guard call.configuration.mayImport else { return nil }
        let member = maker.digestMember
        if content.has(member.other.rawValue) {
            _ = content.text(member.other.rawValue)
            content.complain(
                "\(ParameterReader.label(member.other.rawValue)) is not how the authenticator digests keys: it takes \(member.rawValue)")
        }
        guard content.has(member.rawValue) else { return nil }
        let label = ParameterReader.label(member.rawValue)
        guard let text = content.requiredText(member.rawValue) else { return nil }
        guard let digest = Digest256(hex: text) else {
            content.complain("\(label) is not 64 hexadecimal digits")
            return nil
        }
        let authenticator = call.configuration.authenticator?.value
        let isTaken = all().contains { key in key.authenticator == authenticator && key.secrets.contains { $0.digest == digest } }
        if isTaken { content.complain("\(label) has already been taken") }
        return digest
    }
}
