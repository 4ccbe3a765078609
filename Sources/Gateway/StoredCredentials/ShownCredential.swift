import Policy

/// What an exchange knows of the credential its upstream is shown for the caller. In a place of its own, so that exchanges of
/// routes without one pay for a reference that is nil.
final class ShownCredential {
    /// Nil until it is known.
    var credential: UpstreamCredential?
    /// The content so far, while it may have to be sent again with another credential; nil when it cannot.
    var keptContent: SentContent?
    /// The upstream refused the first one.
    var isReplaced = false
}
