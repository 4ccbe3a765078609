/// How a JSON text is read, by who wrote it. UTF-8, no doubled members and nothing after the value hold for all of them.
package enum JSONDialect: Sendable {
    /// Content of requests and answers: member names are compared by code units (RFC 8259 §8.3), lone surrogates are refused.
    case strict
    /// Files of the operator, whose member names become keys of dictionaries: two names that are canonically equivalent, and so one
    /// key, are refused too.
    case policy
    /// Tokens and documents of issuers, which hold much that is not used here: half of a surrogate pair in a value reads as U+FFFD. In
    /// a member name it is refused, since two names would read the same.
    case foreign
}
