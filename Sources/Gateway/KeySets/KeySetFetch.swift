import Core
import Crypto
import Policy

/// Fetches and reads one key set, with the issuer's metadata first where they name its URL. Blocks.
struct KeySetFetch {
    let surroundings: KeySetFetcher.Surroundings
    let cryptography: any Cryptography

    /// - Parameter url: of the key set, or the issuer of a discovered one.
    func run(
        _ compiled: CompiledKeySet, _ url: String, timeout: Nanoseconds
    ) throws(FetchFault) -> (KeySet, FetchedDocument.Lifetime) {
        let start = surroundings.clock().instant
        let security = compiled.security?.context
        let address = compiled.configuration.isDiscovered ? try discover(url, security, timeout: timeout) : url
        // Both documents together have the time of one.
        let left = timeout - surroundings.clock().instant.since(start)
        guard left > 0 else { throw .timedOut }
        let document = try surroundings.transport(address, security, left)
        do throws(KeySetError) {
            let set = try KeySet.parse(document.bytes.span, isLocal: false, cryptography: cryptography)
            return (set, document.lifetime)
        } catch {
            throw .rejected(error.message)
        }
    }

    /// Where the keys of an issuer are, by its metadata of now.
    private func discover(
        _ issuer: String, _ security: TLSClientContext?, timeout: Nanoseconds
    ) throws(FetchFault) -> String {
        let document = try surroundings.transport(IssuerMetadata.url(of: issuer), security, timeout)
        do throws(IssuerMetadataError) {
            return try IssuerMetadata.keySetURL(in: document.bytes.span, of: issuer)
        } catch {
            throw .rejected(error.message)
        }
    }
}
