import Core

/// A place in a request where a credential may stand.
struct CredentialPlace: Sendable, Equatable {
    enum Kind: Sendable {
        case header
        /// `Authorization: Bearer`.
        case bearer
        case query, cookie
        /// The certificate of the TLS handshake.
        case certificate
    }

    /// The certificate of the TLS handshake.
    static let certificate = CredentialPlace(kind: .certificate, name: [], known: .other)

    let kind: Kind
    /// The field's name in lower case, or the name of the parameter or the cookie; empty for other places.
    let name: [UInt8]
    /// The field that parsing tells apart by that name.
    let known: KnownField

    /// `header:x-api-key`, `bearer`, `query:key`, `cookie:session`, `certificate`.
    var text: [UInt8] {
        switch kind {
        case .header: Array("header:".utf8) + name
        case .bearer: Array("bearer".utf8)
        case .query: Array("query:".utf8) + name
        case .cookie: Array("cookie:".utf8) + name
        case .certificate: Array("certificate".utf8)
        }
    }

    /// What a request shows here.
    /// - Parameter scratch: emptied and filled for a value that had to be decoded.
    @inline(__always)
    func find(in head: inout RequestHead, scratch: inout [UInt8]) -> CredentialFinder.Finding {
        switch kind {
        case .bearer: CredentialFinder.findBearer(&head)
        case .header: CredentialFinder.findField(name.span, known, &head)
        case .query: CredentialFinder.findParameter(name.span, &head, &scratch)
        case .cookie: CredentialFinder.findCookie(name.span, &head)
        // It is no part of the head; who recognises callers looks at the connection.
        case .certificate: .absent
        }
    }
}

extension CredentialSource {
    /// The place and, for bearer tokens, the prefix.
    var place: (place: CredentialPlace, prefix: [UInt8]) {
        switch self {
        case .header(let name):
            let lowercase = name.utf8.map(\.lowercasedASCII)
            let known = KnownField.named(lowercase.span)
            return (CredentialPlace(kind: .header, name: lowercase, known: known), [])
        case .bearer(let prefix):
            return (CredentialPlace(kind: .bearer, name: [], known: .authorization), Array(prefix.utf8))
        case .query(let name): return (CredentialPlace(kind: .query, name: Array(name.utf8), known: .other), [])
        case .cookie(let name): return (CredentialPlace(kind: .cookie, name: Array(name.utf8), known: .cookie), [])
        }
    }
}
