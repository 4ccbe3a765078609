package import Core

/// What `cors` says: which pages of other origins may read answers, and what they may send (WHATWG Fetch, "CORS protocol").
package struct CORSConfiguration: Sendable, Equatable {
    /// Empty stands for every origin, `"*"`.
    package var origins: [CORSOrigin] = []
    /// Methods that preflights allow, `*` among them for every one; nil takes those of the path's routes.
    package var methods: [String]?
    /// Request fields that preflights allow, `*` among them for every one; nil takes what the routes read.
    package var headers: [String]?
    /// Fields of answers that pages may read, beside those that always are; `*` among them for every one.
    package var exposed: [String] = []
    /// Pages may have the browser send cookies, client certificates and what it keeps for HTTP authentication.
    package var allowsCredentials = false
    /// How long a browser may keep what a preflight said; nil leaves that to the browser.
    package var maxAge: Nanoseconds?

    package init() {}

    /// The member of a list that stands for everything.
    static let wildcard = "*"
}

/// The member `cors` where it is an object or `"upstream"`.
package enum CORSSetting: Sendable, Equatable {
    case own(CORSConfiguration)
    /// What the upstream's answers say passes, and its preflights are ordinary requests; the gateway's own answers have fields too.
    case upstream
}

/// The member `cors` of a route.
package enum RouteCORS: Sendable, Equatable {
    /// It is not there: the top-level one applies.
    case inherited
    /// `null`: the top-level one does not apply.
    case dropped
    case set(CORSSetting)
}
