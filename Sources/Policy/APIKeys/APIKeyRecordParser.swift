package import Core

/// Reads an API key record from JSON, in `gateway.json` and in keys files alike.
///
/// A record is an object with `id`, its digest as `sha256` (`hmac_sha256` where the authenticator has a pepper) or
/// several in `secrets`, and optionally `subject` (the id when absent), `scopes`, `allow_ips`, `not_before`,
/// `expires_at`, `limits`, `realm` and `enabled`. Times beside `secrets` hold for all of them. Lists that narrow or replace
/// something may not be empty, because an empty one could be read as "nobody" or as "everybody".
package struct APIKeyRecordParser: Sendable {
    /// The member that holds a digest. Which of the two is right depends on whether the authenticator has a pepper, so
    /// a digest of the other kind cannot lie there unmatched.
    package enum DigestMember: String, Sendable {
        case sha256
        case hmacSHA256 = "hmac_sha256"

        package var other: DigestMember { self == .sha256 ? .hmacSHA256 : .sha256 }
    }

    /// The members of a record.
    package static let memberNames = [
        "id", "sha256", "hmac_sha256", "secrets", "subject", "scopes", "allow_ips", "not_before", "expires_at",
        "limits", "realm", "enabled",
    ]
    /// The members of one entry of `secrets`.
    package static let secretMemberNames = ["sha256", "hmac_sha256", "not_before", "expires_at"]

    package let digestMember: DigestMember

    package init(digestMember: DigestMember) { self.digestMember = digestMember }

    /// The record in `node`, or nil after at least one error was added to `errors`. `path` names the record in messages
    /// and is empty in a keys file.
    package func parse(
        _ node: JSONNode, path: String, errors: inout [APIKeyRecordError]
    ) -> APIKeyConfiguration? {
        var reader = APIKeyRecordReader(digestMember: digestMember, path: path)
        let record = reader.record(node)
        errors += reader.errors
        return reader.errors.isEmpty ? record : nil
    }
}
