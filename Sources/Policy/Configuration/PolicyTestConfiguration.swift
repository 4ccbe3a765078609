package import Core

/// One of the tests a policy carries: a request, whoever makes it, and what must become of it.
package struct PolicyTestConfiguration: Sendable {
    /// Which API key is meant.
    package enum Key: Sendable {
        /// One of the policy's own, by its id.
        case named(Located<String>)
        /// One that is supposed to be there.
        case stored(StoredKey)
    }

    /// An API key that is supposed to be there while the test runs, as one that a store holds.
    package struct StoredKey: Sendable {
        /// Nil for the only authenticator of API keys.
        package var authenticator: Located<String>?
        package var id = "test"
        /// Nil takes the id, or the test's user, whose key it then is.
        package var subject: String?
        package var scopes: [String] = []
        /// Empty allows every address.
        package var allowedAddresses: [CIDRBlock] = []
        /// Empty takes the route's.
        package var limits: [Located<String>] = []
        package var realm: String?
        package var expiresAt: WallTime?
        package var isEnabled = true
        package var position: SourcePosition
        package var path: String

        package init(position: SourcePosition, path: String) {
            self.position = position
            self.path = path
        }
    }

    /// A token that is made for the test, out of the claims it is to have.
    package struct Token: Sendable {
        /// Who signed it.
        package enum Signature: String, Sendable, CaseIterable {
            /// A key the authenticator trusts.
            case good
            /// Such a key, but something else.
            case forged
            /// A key that the authenticator's key set does not have.
            case unknown
        }

        /// The authenticator it is meant for; nil for the only one that takes tokens.
        package var authenticator: Located<String>?
        /// Claims by name, in place of those a token has anyhow (`iss`, `aud`, `iat`, `exp`); null takes one away.
        package var claims: [JSONMember] = []
        /// Nil takes the first the authenticator allows.
        package var algorithm: SignatureAlgorithm?
        /// The header's `typ`; nil takes the first the authenticator wants.
        package var type: String?
        package var signature = Signature.good
        /// How long before the test's time it was issued.
        package var age: Nanoseconds = 0
        /// The API key it is made with, where its authenticator's tokens live and die with one.
        package var key: Key?
        /// From `iat` to `exp`.
        package var lifetime: Nanoseconds = .seconds(300)

        package init() {}
    }

    /// Content of a test's request.
    package struct Content: Sendable {
        package var bytes: [UInt8]
        /// The file has it as JSON, not as text.
        package var isJSON: Bool
    }

    /// What must become of the request. Whatever is nil or empty is not looked at.
    package struct Expectation: Sendable {
        package var status: Located<Int>?
        package var reason: Located<String>?
        /// A reason a rule in shadow mode would have refused for; empty where none would have.
        package var wouldHave: Located<String>?
        package var route: Located<String>?
        package var upstream: Located<String>?
        /// The request is forwarded, or carried out by the gateway itself.
        package var isAllowed: Located<Bool>?
        /// Method-less target as the upstream gets it: path and query.
        package var target: Located<String>?
        /// Fields the upstream gets, with their values.
        package var requestHeaders: [HeaderTemplate] = []
        package var absentRequestHeaders: [Located<String>] = []
        /// The content the upstream gets: JSON, compared by its values, or a text.
        package var requestContent: Located<JSONNode>?
        /// Fields of the answer that the gateway sets, with their values.
        package var responseHeaders: [HeaderTemplate] = []
        package var absentResponseHeaders: [Located<String>] = []

        package init() {}
    }

    /// Most times that one test makes its request.
    package static let repetitionLimit = 100_000

    package var name: String
    /// The file it stands in, as diagnostics name it.
    package var file: String
    package var position: SourcePosition
    /// Path of the test's object, as in `tests[3]`.
    package var path: String
    /// Method and target, as in `GET http://api.example/users`.
    package var request: Located<String>
    package var headers: [(name: String, value: String)] = []
    /// The whole content; nil where it is not said.
    package var content: Content?
    /// Bytes of content the request announces; nil for none.
    package var contentBytes: UInt64?
    /// The peer of the connection; nil for `defaultClient`.
    package var client: IPAddress?
    /// When the request is made; nil for the time of the run.
    package var time: WallTime?
    /// The API key that the request shows.
    package var key: Key?
    /// The authenticator of a key that is named; nil for the only one that has a key of that id.
    package var keyAuthenticator: Located<String>?
    package var token: Token?
    /// The user of the store whose keys and tokens these are.
    package var user: DirectoryUser?
    /// What the client's certificate says.
    package var certificate: [CertificateAuthenticatorConfiguration.Part: [String]]?
    /// How often the request is made; the expectation is held against the last one.
    package var repetitions = 1
    package var expectation = Expectation()

    /// Where a request comes from that says nothing of it: an address for documentation (RFC 5737), on no list by accident.
    package static let defaultClient = IPAddress(v4: 0xC000_0201)

    package init(
        name: String, file: String, position: SourcePosition, path: String, request: Located<String>
    ) {
        self.name = name
        self.file = file
        self.position = position
        self.path = path
        self.request = request
    }
}
