import Core

/// The policy in force, compiled from one configuration. Immutable: a reload makes another one, and a request keeps the
/// one it began with.
package final class Snapshot: Sendable {
    package let configuration: Configuration
    package let routes: [Route]
    /// The names of the upstreams, sorted; a route's `upstreamIndex` is a place here.
    package let upstreamNames: [String]
    /// The key sets that authenticators use, by name.
    package let keySets: [String: KeySetCell]
    /// The authenticators that take stored keys, in the order of their names.
    let storedKeys: [StoredKeyRules]
    /// Some decision asks what the store holds.
    package let usesDirectory: Bool
    let table: RouteTable
    /// Refuses of paths what every route refuses; the rest is asked of the route that a path selects (`pathRefusal`).
    let normaliser: PathNormaliser
    let readings: PathReadings
    let clientAddress: ClientAddress
    let forwarding: ForwardingFields
    /// The profile of answers to requests that have no route.
    let profile: AnswerProfile
    /// The realm of challenges of profiles without one.
    let challengeRealm: [UInt8]
    /// The top-level `cors`, for answers to requests that have no route.
    let cors: CORSRule?
    /// Some answer has fields for pages of other origins.
    let usesCORS: Bool
    let cryptography: any Cryptography
    /// What spans of traces are made with.
    let traceSeed: HashSeed

    init(_ parts: Parts) {
        configuration = parts.configuration
        routes = parts.routes
        upstreamNames = parts.upstreamNames
        keySets = parts.keySets
        storedKeys = parts.storedKeys
        usesDirectory = parts.usesDirectory
        table = parts.table
        readings = parts.readings
        profile = parts.profile
        challengeRealm = Array(configuration.challengeRealm.utf8)
        cors = parts.cors
        usesCORS = parts.cors != nil || parts.routes.contains { $0.cors != nil }
        cryptography = parts.cryptography
        traceSeed = parts.seed
        normaliser = PathNormaliser(.loosest(of: [configuration.paths.refused] + routes.map(\.refusedPathUses)))
        clientAddress = ClientAddress(trusted: configuration.trustedProxies, family: configuration.forwardedFields)
        forwarding = ForwardingFields(configuration)
    }

    /// The compiled parts of a policy.
    struct Parts {
        var configuration: Configuration
        var routes: [Route]
        var upstreamNames: [String]
        var keySets: [String: KeySetCell]
        var storedKeys: [StoredKeyRules]
        var usesDirectory: Bool
        var table: RouteTable
        var readings: PathReadings
        var profile: AnswerProfile
        var cors: CORSRule?
        var cryptography: any Cryptography
        var seed: HashSeed
    }

    /// Compiles a configuration that was read without errors. Without a snapshot there is at least one error.
    package static func compile(
        _ configuration: Configuration, environment: some CompileEnvironment
    ) -> (snapshot: Snapshot?, diagnostics: [Diagnostic]) {
        var compiler = PolicyCompiler(configuration, environment: environment)
        let snapshot = compiler.compile()
        return (snapshot, compiler.diagnostics.all)
    }
}
