/// What is to be done with a request.
package enum Decision: Sendable {
    case forward(Grant)
    case refuse(Refusal)
    /// A key set that may be fetched could tell. Decide again when the fetch has ended; where waiting is impossible or
    /// is over, refuse with this.
    case wait(KeySetCell, Refusal)
    /// The gateway answers by itself.
    case answer(LocalAnswerKind)
}
