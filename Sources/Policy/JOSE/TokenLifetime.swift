import Core

/// When a token is good, read from `exp`, `nbf` and `iat`.
struct TokenLifetime {
    var expiresAt = WallTime.distantFuture
    /// Leeway included in both.
    var usableFrom = WallTime.distantPast
    var usableUntil = WallTime.distantFuture
}
