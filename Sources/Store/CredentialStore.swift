/// Where keys, users, memberships, signing keys, refresh tokens and stored credentials are kept.
///
/// A request never asks it: who serves requests reads everything once with `contents`, keeps it in memory, and hands every
/// change to `commit`. An embedded database does this for one machine; a shared one for several only has to do the same
/// two things. All calls block, and none may be made on a loop's queue. Calls from several threads are put in line.
package protocol CredentialStore: AnyObject, Sendable {
    /// Everything, with the revision it stands at.
    func contents() throws(StoreFault) -> StoreContents

    /// Makes all of the changes or none of them. When it returns they survive a power cut.
    /// - Parameter revision: the revision that the changes were worked out from. When somebody else has changed the store
    ///   since, nothing is changed and `.conflict` is thrown: read again, decide again.
    /// - Returns: the new revision.
    func commit(_ changes: [StoreChange], at revision: Int64) throws(StoreFault) -> Int64

    /// Adds to what is known of the use of keys. Does not change the revision; may be lost in a crash.
    func record(_ usage: [KeyUsage]) throws(StoreFault)

    /// What is known of the use of every key that was used.
    func usage() throws(StoreFault) -> [KeyUsage]

    /// The revision now; cheap, to find out whether another process has changed the store.
    func revision() throws(StoreFault) -> Int64
}
