/// The seven kinds of JSON value, booleans as one.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONNode])
    /// The members in the order of the text. Read from a text, no two have the same name.
    case object([JSONMember])
}
