/// How requests of a route name the realm they are about.
package struct RealmConfiguration: Sendable, Equatable {
    /// The field with the client's default.
    package var header: String?
    /// The parameter, of the query or of an action's content, with the realm of this one request.
    package var parameter: String?
    /// Requests without a realm are refused.
    package var isRequired: Bool

    package init(header: String?, parameter: String?, isRequired: Bool = true) {
        self.header = header
        self.parameter = parameter
        self.isRequired = isRequired
    }
}
