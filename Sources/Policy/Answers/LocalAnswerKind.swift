/// A request that the gateway answers itself without refusing it.
package enum LocalAnswerKind: Sendable {
    /// `OPTIONS *`: about the gateway as a whole (RFC 9110 §9.3.7).
    case serverOptions
    /// OPTIONS with `Max-Forwards: 0`: the methods of the resource, by its leaf in the route table (RFC 9110 §7.6.2).
    case resourceOptions(leaf: Int)
    /// A preflight of a page of another origin (WHATWG Fetch, "CORS-preflight fetch").
    case preflight(PreflightAnswer)
}
