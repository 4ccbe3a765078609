import Policy

extension ActionRequest {
    /// The realm whose keys sign, and that `{realm}` stands for: the one that the request names, or that the caller's
    /// credential is locked to, also where the route knows none. Nil where there is neither.
    func realmInForce() throws(ActionRefusal) -> String? {
        let named: String?
        do throws(Denial) { named = try realm?.resolved() } catch {
            throw ActionRefusal(error)
        }
        let lock = try lockedRealm()
        if let named, let lock, named != lock { throw ActionRefusal(.realmNotAllowed) }
        return named ?? lock
    }

    /// The realm that the caller's credentials are locked to; nil without a lock.
    func lockedRealm() throws(ActionRefusal) -> String? {
        do throws(Denial) { return try Identity.lockedRealm(of: identity, others) } catch { throw ActionRefusal(error) }
    }
}
