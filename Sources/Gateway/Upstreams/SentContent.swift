import Core

/// What an exchange sent to an upstream behind its request's head, kept so that it can be sent to another.
struct SentContent {
    var content: [UInt8] = []
    /// No fields unless the request is whole and has some.
    var trailers = TrailerSection()
}
