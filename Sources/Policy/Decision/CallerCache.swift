import Core

/// The callers one loop has seen last. Bounded: a caller has one place, and who comes there next takes it over.
///
/// An entry holds on to its route and its identity, so that neither's identity in memory can pass to another one.
struct CallerCache {
    private struct Slot {
        var route: Route?
        /// The token, the certificate's identity, or the authenticator of the key.
        var owner: ObjectIdentifier?
        /// The key's record; 0 for the others.
        var record: UInt64 = 0
        var caller: Caller?
    }

    private static let lineBytes = 4096

    private var slots = Array(repeating: Slot(), count: FixedBounds.callerCacheEntries)

    /// Forgets everything.
    mutating func removeAll() {
        for index in slots.indices { slots[index] = Slot() }
    }

    /// Shows every caller remembered.
    func forEach(_ body: (Caller) -> Void) {
        for slot in slots { if let caller = slot.caller { body(caller) } }
    }

    /// The caller of this identity under a route, remembered or made.
    /// - Parameter buckets: the loop's, which make the keys of the caller's buckets.
    @inline(__always)
    mutating func caller(_ identity: Identity, _ route: Route, buckets: BucketTable, directory: Directory) -> Caller {
        let owner: ObjectIdentifier
        var record: UInt64 = 0
        switch identity {
        case .anonymous: return route.stranger
        case .apiKey(let found, let authenticator):
            owner = ObjectIdentifier(authenticator)
            record = UInt64(found.key) << 32 | UInt64(found.secret)
        case .token(let token): owner = ObjectIdentifier(token)
        case .certificate(let identity): owner = ObjectIdentifier(identity)
        }
        let word = UInt64(UInt(bitPattern: owner)) ^ record &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(route.index) << 40
        let place = Int(truncatingIfNeeded: (word &* 0xD6E8_FEB8_6659_FD93) >> 40) & (slots.count &- 1)
        if slots[place].owner == owner, slots[place].record == record, slots[place].route === route,
            let caller = slots[place].caller
        {
            return caller
        }
        let caller = Caller(identity, route, buckets: buckets, directory: directory)
        remember(caller, Slot(route: route, owner: owner, record: record, caller: caller), at: place)
        return caller
    }

    /// The caller of several credentials under a route that asks for all of them, remembered or made.
    /// - Parameter others: the credentials beside the first one; none finds what `caller` finds.
    mutating func caller(
        _ identity: Identity, beside others: [Identity], _ route: Route, buckets: BucketTable, directory: Directory
    ) -> Caller {
        if others.isEmpty { return caller(identity, route, buckets: buckets, directory: directory) }
        var place = route.index
        for one in [identity] + others {
            let word = Self.word(of: one) ^ UInt64(truncatingIfNeeded: place)
            place = Int(truncatingIfNeeded: (word &* 0xD6E8_FEB8_6659_FD93) >> 40)
        }
        place &= slots.count &- 1
        if let caller = slots[place].caller, slots[place].route === route, caller.identity.isSame(as: identity),
            caller.others.count == others.count, zip(caller.others, others).allSatisfy({ $0.identity.isSame(as: $1) })
        {
            return caller
        }
        let caller = Caller(identity, beside: others, route, buckets: buckets, directory: directory)
        // Without an owner: never found by one credential alone.
        remember(caller, Slot(route: route, owner: nil, caller: caller), at: place)
        return caller
    }

    private mutating func remember(_ caller: Caller, _ slot: Slot, at place: Int) {
        // Few identities have so much to say of themselves; they are not worth the memory.
        if caller.lines.count <= Self.lineBytes { slots[place] = slot }
    }

    private static func word(of identity: Identity) -> UInt64 {
        func word(_ object: AnyObject) -> UInt64 { UInt64(UInt(bitPattern: ObjectIdentifier(object))) }
        return switch identity {
        case .anonymous: 0
        case .apiKey(let found, let authenticator):
            word(authenticator) ^ (UInt64(found.key) << 32 | UInt64(found.secret)) &* 0x9E37_79B9_7F4A_7C15
        case .token(let token): word(token)
        case .certificate(let identity): word(identity)
        }
    }
}
