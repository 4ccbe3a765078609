package import Core
import Synchronization

/// The verifiers of one route, told apart by the issuer a token names: one verifier judges it, no keys are tried in
/// turn.
package final class IssuerTable: Sendable {
    /// Two verifiers that cannot be told apart.
    package enum Conflict: Error, Equatable, Sendable {
        case sameIssuer(String, first: String, second: String)
        /// Two that take any issuer.
        case anyIssuer(first: String, second: String)
    }

    private static let identities = Atomic<UInt64>(0)

    package let verifiers: [JWTVerifier]
    /// Never given twice in one process. Cached verdicts belong to one table, so that a new policy starts with none.
    package let identity: UInt64
    private let byIssuer: [String: JWTVerifier]
    /// Takes what no other claims.
    private let fallback: JWTVerifier?
    /// The largest of the verifiers' limits; nothing larger is taken apart.
    let tokenByteLimit: Int

    package init(_ verifiers: [JWTVerifier]) throws(Conflict) {
        var byIssuer: [String: JWTVerifier] = [:]
        var fallback: JWTVerifier?
        for verifier in verifiers {
            if verifier.issuers.isEmpty {
                if let fallback { throw .anyIssuer(first: fallback.name, second: verifier.name) }
                fallback = verifier
            }
            for issuer in verifier.issuers {
                if let other = byIssuer.updateValue(verifier, forKey: issuer), other !== verifier {
                    throw .sameIssuer(issuer, first: other.name, second: verifier.name)
                }
            }
        }
        self.verifiers = verifiers
        self.byIssuer = byIssuer
        self.fallback = fallback
        tokenByteLimit = verifiers.reduce(0) { max($0, $1.tokenByteLimit) }
        identity = Self.identities.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// The verdict on a token in compact form, without any cache. Never `.notMine`.
    package func verify(_ token: Span<UInt8>, now: ClockReading, view: DirectoryView = .none) -> TokenVerdict {
        judge(token, now: now, view: view, headers: nil)
    }

    private func judge(
        _ token: Span<UInt8>, now: ClockReading, view: DirectoryView, headers: HeaderCache?
    ) -> TokenVerdict {
        guard token.count <= tokenByteLimit else { return .refused(.tooLarge) }
        do throws(TokenFault) {
            let compact = try CompactToken(token, headers: headers)
            guard let verifier = try verifier(for: compact) else { return .refused(.issuerUnknown) }
            return try verifier.verify(compact, token, now: now, view: view)
        } catch {
            return .refused(error)
        }
    }

    /// The verdict on a token in compact form, remembered or made. Never `.notMine`.
    /// - Parameter view: whoever hands in another one has the cache forget derived tokens before.
    package func verify(
        _ token: Span<UInt8>, now: ClockReading, view: DirectoryView = .none, cache: TokenCache
    ) -> TokenVerdict {
        if let known = cache.verifiedToken(token, table: self, now: now) { return .verified(known) }
        guard token.count <= tokenByteLimit else { return .refused(.tooLarge) }
        let generations = keySetGenerations
        if let fault = cache.refusal(token, table: self, generations: generations, now: now.instant) {
            return .refused(fault)
        }
        let verdict = judge(token, now: now, view: view, headers: cache.headers)
        switch verdict {
        case .verified(let verified):
            cache.insert(verified, table: self, now: now)
        case .refused(let fault):
            if fault.isLasting {
                cache.insert(refused: token, fault: fault, table: self, generations: generations, now: now.instant)
            }
        case .notMine, .unknownKey: break
        }
        return verdict
    }

    /// Another number whenever any of the key sets has changed: the sum of counts that only grow.
    var keySetGenerations: UInt64 {
        verifiers.reduce(0) { $0 &+ $1.keySet.generation }
    }

    private func verifier(for compact: borrowing CompactToken) throws(TokenFault) -> JWTVerifier? {
        guard let issuer = try compact.claims.text("iss"), let verifier = byIssuer[issuer],
            // The dictionary takes canonically equivalent strings for equal.
            verifier.issuers.containsExactly(issuer)
        else { return fallback }
        return verifier
    }
}
