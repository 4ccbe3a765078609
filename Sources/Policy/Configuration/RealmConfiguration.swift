/// How requests of a route name the realm they are about.
package struct RealmConfiguration: Sendable, Equatable {
    /// The field with the client's default.
    package var header: String?
    /// The parameter, of the query or of content, with the realm of this one request.
    package var parameter: String?
    /// Requests without a realm are refused.
    package var isRequired: Bool
    /// Content that goes to an upstream may have the parameter too.
    package var readsContent: Bool

    package init(header: String?, parameter: String?, isRequired: Bool = true, readsContent: Bool = false) {
        self.header = header
        self.parameter = parameter
        self.isRequired = isRequired
        self.readsContent = readsContent
    }
}
