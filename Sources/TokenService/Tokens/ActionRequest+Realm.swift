import Policy

extension ActionRequest {
    /// The realm whose keys sign, and that `{realm}` stands for; nil where the route knows none.
    func realmInForce() throws(ActionRefusal) -> String? {
        do throws(Denial) { return try realm?.resolved() } catch {
            throw ActionRefusal(error)
        }
    }
}
