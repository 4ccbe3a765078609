import Core
import Dispatch
import Policy
import Store
import Synchronization
import Testing

@testable import TokenService

struct RegistryTests {
    private static func organization(_ id: String) -> StoredOrganization {
        StoredOrganization(id: id, slug: id, name: id)
    }

    /// What was published, in its order.
    private final class Published: Sendable {
        let indexes = Mutex<[StoreIndex?]>([])
        let lines = Mutex<[String]>([])

        var last: StoreIndex? { indexes.withLock { $0.last ?? nil } }
    }

    private static func registry(
        _ published: Published, poll: Nanoseconds = .seconds(3600),
        open: @escaping @Sendable () throws(StoreFault) -> any CredentialStore
    ) -> Registry {
        var timing = RegistryTiming()
        timing.poll = poll
        timing.reopen = .milliseconds(1)
        let registry = Registry(
            open: open, publish: { index, _ in published.indexes.withLock { $0.append(index) } },
            report: { line in published.lines.withLock { $0.append(line) } }, timing: timing)
        registry.start()
        return registry
    }

    @Test func `a change is in the store and in force when it is answered`() throws {
        let store = MemoryStore()
        let published = Published()
        let registry = Self.registry(published) { () throws(StoreFault) in store }
        let result = registry.change { index throws(ActionRefusal) in
            ([.putOrganization(Self.organization("acme"))], index.organizations.count)
        }
        guard case .success(0) = result else {
            Issue.record("refused")
            return
        }
        #expect(try store.contents().organizations.map(\.id) == ["acme"])
        #expect(published.last?.organizations.keys.sorted() == ["acme"])
    }

    @Test func `the administrator's change is committed ahead of all that wait, and callers take turns`() throws {
        let store = MemoryStore()
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        let (begun, gate, answered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let order = Mutex<[String]>([])
        let change = { @Sendable (name: String, requester: Requester) in
            registry.change(for: requester) { _ throws(ActionRefusal) in
                if name == "first" {
                    begun.signal()
                    gate.wait()
                }
                return ([.putOrganization(Self.organization(name))], ())
            } completion: { _ in
                order.withLock { $0.append(name) }
                answered.signal()
            }
        }
        change("first", .caller("ada"))
        begun.wait()
        for number in 0..<300 { change("ada \(number)", .caller("ada")) }
        change("bob", .caller("bob"))
        registry.read(for: .caller("ada")) { _ throws(ActionRefusal) in } completion: { _ in answered.signal() }
        change("administrator", .administrator)
        gate.signal()
        for _ in 0..<304 { answered.wait() }
        let seen = order.withLock { $0 }
        #expect(Array(seen.prefix(4)) == ["first", "administrator", "ada 0", "bob"])
        #expect(seen.count == 303)
    }

    @Test func `what the administrator looks up is ahead of all lists of callers, who take turns`() throws {
        let store = MemoryStore()
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        let (begun, gate, answered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let order = Mutex<[String]>([])
        let note = { @Sendable (name: String) in
            order.withLock { $0.append(name) }
            answered.signal()
        }
        registry.read(for: .caller("ada")) { _ throws(ActionRefusal) in
            begun.signal()
            gate.wait()
        } completion: { _ in note("first") }
        begun.wait()
        for number in 0..<20 {
            registry.read(for: .caller("ada")) { _ throws(ActionRefusal) in } completion: { _ in note("ada \(number)") }
        }
        registry.read(for: .caller("bob")) { _ throws(ActionRefusal) in } completion: { _ in note("bob") }
        registry.usage(for: .administrator) { _ in note("administrator") }
        gate.signal()
        for _ in 0..<23 { answered.wait() }
        #expect(order.withLock { Array($0.prefix(4)) } == ["first", "administrator", "ada 0", "bob"])
    }

    @Test func `one caller has so many changes and readings waiting and no more`() throws {
        let store = MemoryStore()
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        let (begun, gate, answered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let refused = Mutex(0)
        let note = { @Sendable (result: Result<Void, ActionRefusal>) in
            if case .failure(let refusal) = result, refusal.denial == .overloaded { refused.withLock { $0 += 1 } }
            answered.signal()
        }
        registry.change(for: .caller("ada"), { _ throws(ActionRefusal) in
            begun.signal()
            gate.wait()
            return ([], ())
        }, completion: note)
        begun.wait()
        for _ in 0..<(FixedBounds.storeChangesPerCaller + 3) {
            registry.change(for: .caller("ada"), { _ throws(ActionRefusal) in ([], ()) }, completion: note)
        }
        for _ in 0..<(FixedBounds.storeReadingsPerCaller + 2) {
            registry.read(for: .caller("ada"), { _ throws(ActionRefusal) in }, completion: note)
        }
        registry.change(for: .caller("bob"), { _ throws(ActionRefusal) in ([], ()) }, completion: note)
        gate.signal()
        for _ in 0..<(FixedBounds.storeChangesPerCaller + FixedBounds.storeReadingsPerCaller + 7) { answered.wait() }
        #expect(refused.withLock { $0 } == 5)
    }

    @Test func `a refusal changes nothing`() throws {
        let store = MemoryStore()
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        let result: Result<Int, ActionRefusal> = registry.change { _ throws(ActionRefusal) in
            throw ActionRefusal(.resourceConflict, messages: ["Slug has already been taken"])
        }
        guard case .failure(let refusal) = result else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.denial.reason == "resource_conflict" && refusal.messages.count == 1)
        #expect(try store.revision() == 0)
    }

    @Test func `who was slower decides anew from what is there now`() throws {
        let store = MemoryStore()
        let published = Published()
        let registry = Self.registry(published) { () throws(StoreFault) in store }
        // Another process.
        _ = try store.commit([.putOrganization(Self.organization("first"))], at: 0)
        let result = registry.change { index throws(ActionRefusal) in
            ([.putOrganization(Self.organization("second"))], index.organizations.keys.sorted())
        }
        guard case .success(let seen) = result else {
            Issue.record("refused")
            return
        }
        #expect(seen == ["first"])
        #expect(try store.contents().organizations.count == 2)
        #expect(published.last?.organizations.count == 2)
    }

    @Test(arguments: [StoreFault.full, .readOnly("no"), .unavailable("gone")])
    func `what the store does not take is not in memory either`(fault: StoreFault) throws {
        let store = MemoryStore()
        let published = Published()
        let registry = Self.registry(published) { () throws(StoreFault) in store }
        store.fail(with: fault)
        let result = registry.change { _ throws(ActionRefusal) in ([.putOrganization(Self.organization("acme"))], ()) }
        guard case .failure(let refusal) = result else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.denial.reason == "store_unavailable")
        #expect(registry.status.fault == fault.message)
        #expect(published.lines.withLock { $0 } == [fault.message])
        store.fail(with: nil)
        let seen = registry.change { index throws(ActionRefusal) in ([.putOrganization(Self.organization("b"))], index.organizations.count) }
        guard case .success(0) = seen else {
            Issue.record("remembered what was not stored")
            return
        }
        #expect(registry.status.fault == nil)
        #expect(try store.contents().organizations.map(\.id) == ["b"])
    }

    @Test func `what contradicts the store is no failure of the store`() throws {
        let store = MemoryStore()
        let published = Published()
        let registry = Self.registry(published) { () throws(StoreFault) in store }
        let orphan = StoredProject(id: "p", organization: "nowhere", slug: "p", name: "p")
        let decisions = Mutex(0)
        let result = registry.change { _ throws(ActionRefusal) in
            decisions.withLock { $0 += 1 }
            return ([.putProject(orphan)], ())
        }
        guard case .failure(let refusal) = result else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.denial.reason == "resource_conflict")
        // Once more from what the store holds, which may have been changed past the gateway.
        #expect(decisions.withLock { $0 } == 2)
        #expect(registry.status.fault == nil && registry.status.isLoaded)
        #expect(published.lines.withLock { $0.count } == 1)
        #expect(published.last?.projects.isEmpty == true)
    }

    @Test func `everything that comes at one time is made, each once`() throws {
        let store = MemoryStore()
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        DispatchQueue.concurrentPerform(iterations: 300) { number in
            _ = registry.change { index throws(ActionRefusal) in
                ([.putOrganization(Self.organization("o\(number)-\(index.organizations.count)"))], ())
            }
        }
        let names = try store.contents().organizations.map(\.id)
        #expect(names.count == 300)
        // Each saw all that were decided before it.
        #expect(Set(names.compactMap { $0.split(separator: "-").last }).count == 300)
    }

    @Test func `a store that cannot be opened is tried again`() throws {
        let store = MemoryStore()
        let published = Published()
        let isThere = Mutex(false)
        let loaded = DispatchSemaphore(value: 0)
        var timing = RegistryTiming()
        timing.poll = .milliseconds(5)
        timing.reopen = .milliseconds(1)
        let registry = Registry(
            open: { () throws(StoreFault) in
                guard isThere.withLock({ $0 }) else { throw .unavailable("not yet") }
                return store
            },
            publish: { index, _ in
                published.indexes.withLock { $0.append(index) }
                if index != nil { loaded.signal() }
            }, report: { _ in }, timing: timing)
        registry.start()
        #expect(!registry.status.isLoaded)
        #expect(published.indexes.withLock { $0.first.map { $0 == nil } } == true)
        let refused = registry.change { _ throws(ActionRefusal) in ([], ()) }
        guard case .failure(let refusal) = refused else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.denial.reason == "store_unavailable")
        isThere.withLock { $0 = true }
        loaded.wait()
        guard case .success = registry.change({ _ throws(ActionRefusal) in ([], ()) }) else {
            Issue.record("still refused")
            return
        }
        registry.stop()
    }

    @Test func `another process's change is seen`() throws {
        let store = MemoryStore()
        let seen = DispatchSemaphore(value: 0)
        var timing = RegistryTiming()
        timing.poll = .milliseconds(5)
        let registry = Registry(
            open: { () throws(StoreFault) in store },
            publish: { index, _ in if index?.organizations.count == 1 { seen.signal() } }, report: { _ in }, timing: timing)
        registry.start()
        _ = try store.commit([.putOrganization(Self.organization("acme"))], at: 0)
        seen.wait()
        registry.stop()
        #expect(registry.status.revision == 1)
    }

    @Test func `of many who ask for the use of keys one reads the store, and what is not written counts`() throws {
        let store = CountingStore()
        try store.record([KeyUsage(key: "a", count: 2, lastUsedAt: WallTime(seconds: 5))])
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        for count in 1...20 {
            registry.record([KeyUsage(key: "a", count: 1, lastUsedAt: WallTime(seconds: 6))])
            let answered = DispatchSemaphore(value: 0)
            let seen = Mutex<[KeyUsage?]>([])
            registry.usage(for: .administrator) { usage in
                if case .success(let usage) = usage { seen.withLock { $0 = [usage("a"), usage("b")] } }
                answered.signal()
            }
            answered.wait()
            let expected = KeyUsage(key: "a", count: 2 + Int64(count), lastUsedAt: WallTime(seconds: 6))
            #expect(seen.withLock { $0 } == [expected, nil])
        }
        #expect(store.readings.withLock { $0 } == 1)
    }

    @Test func `use of keys adds up and is written at the end`() throws {
        let store = MemoryStore()
        let registry = Self.registry(Published()) { () throws(StoreFault) in store }
        let time = WallTime(seconds: 5)
        registry.record([KeyUsage(key: "a", count: 2, lastUsedAt: time)])
        registry.record([KeyUsage(key: "a", count: 3, lastUsedAt: WallTime(seconds: 4)), KeyUsage(key: "b", count: 1, lastUsedAt: time)])
        registry.stop()
        #expect(
            try store.usage() == [
                KeyUsage(key: "a", count: 5, lastUsedAt: time), KeyUsage(key: "b", count: 1, lastUsedAt: time),
            ])
    }
}

/// Counts how often the use of keys is read.
private final class CountingStore: CredentialStore {
    let readings = Mutex(0)
    private let store = MemoryStore()

    func contents() throws(StoreFault) -> StoreContents { try store.contents() }

    func commit(_ changes: [StoreChange], at revision: Int64) throws(StoreFault) -> Int64 { try store.commit(changes, at: revision) }

    func record(_ usage: [KeyUsage]) throws(StoreFault) { try store.record(usage) }

    func usage() throws(StoreFault) -> [KeyUsage] {
        readings.withLock { $0 += 1 }
        return try store.usage()
    }

    func revision() throws(StoreFault) -> Int64 { try store.revision() }
}
