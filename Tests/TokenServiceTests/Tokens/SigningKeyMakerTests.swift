import Core
import Crypto
import Dispatch
import Policy
import Store
import Synchronization
import Testing

@testable import TokenService

struct SigningKeyMakerTests {
    /// Makes keys when it is let, and counts them.
    private final class Workshop: Sendable {
        /// How many more keys may be made.
        let gate = DispatchSemaphore(value: 0)
        let made = Mutex(0)

        func material() -> [UInt8] {
            gate.wait()
            made.withLock { $0 += 1 }
            return SigningMaterial.newSecret()
        }
    }

    private final class Asking: Sendable {
        let workshop = Workshop()
        let store = MemoryStore()
        private let maker: SigningKeyMaker
        private let results = Mutex<[Result<SigningKeyring.Entry, ActionRefusal>]>([])
        private let answered = DispatchSemaphore(value: 0)

        init(_ fill: [StoreChange] = []) throws {
            _ = try store.commit(fill, at: 0)
            let (store, workshop, keyring) = (self.store, self.workshop, SigningKeyring())
            let registry = Registry(
                open: { () throws(StoreFault) in store },
                publish: { index, _ in if let index { keyring.follow(index, keySet: nil) } }, report: { _ in })
            registry.start()
            let audit = AuditTrail(clock: { WallTime(seconds: 1_800_000_000) })
            let pool = WorkPool(width: 1)
            maker = SigningKeyMaker(keyring: keyring, registry: registry, audit: audit, pool: pool) { _ in workshop.material() }
        }

        /// Comes back at once, though no key can be made yet.
        func ask(_ realm: String?, isLocked: Bool = false, as requester: Requester = .caller("a")) {
            let need = SigningKeyMaker.Need(keySet: "own", realm: realm, wanted: nil, algorithm: .hs256, isRealmLocked: isLocked)
            maker.make(need, for: requester, now: WallTime(seconds: 1_800_000_000)) { result in
                self.results.withLock { $0.append(result) }
                self.answered.signal()
            }
        }

        /// The ids of keys, and the refusals, of so many answers.
        func answers(_ count: Int) -> (keys: [String], refusals: [ActionRefusal]) {
            for _ in 0..<count { answered.wait() }
            var answers: (keys: [String], refusals: [ActionRefusal]) = ([], [])
            for result in results.withLock({ $0 }) {
                switch result {
                case .success(let entry): answers.keys.append(entry.key.id)
                case .failure(let refusal): answers.refusals.append(refusal)
                }
            }
            return answers
        }

        var made: Int { workshop.made.withLock { $0 } }
    }

    private static func realms(_ count: Int) -> [StoreChange] {
        (0..<count).map { number in
            .putSigningKey(
                StoredSigningKey(
                    id: "jky_\(number)", keySet: "own", realm: "rl_\(number)", algorithm: .hs256,
                    material: SigningMaterial.newSecret(), createdAt: WallTime(seconds: 1_700_000_000)))
        }
    }

    @Test func `nobody who asks waits for a key to be made, and many who ask for one get the same`() throws {
        let asking = try Asking()
        for _ in 0..<50 { asking.ask("rl_1") }
        #expect(asking.made == 0)
        asking.workshop.gate.signal()
        let answers = asking.answers(50)
        #expect(Set(answers.keys).count == 1 && answers.keys.count == 50)
        #expect(asking.made == 1)
        #expect(try asking.store.contents().signingKeys.count == 1)
    }

    @Test func `who needs a key that another is in line for does not wait for all that the other has asked for`() throws {
        let asking = try Asking()
        for number in 0..<10 { asking.ask("rl_\(number)", as: .caller("a")) }
        asking.ask("rl_9", as: .caller("b"))
        for _ in 0..<3 { asking.workshop.gate.signal() }
        // Of "a" the first and the second, and between them or behind what "b" waits for: that of the tenth realm.
        _ = asking.answers(4)
        #expect(try asking.store.contents().signingKeys.contains { $0.realm == "rl_9" })
        for _ in 0..<7 { asking.workshop.gate.signal() }
        #expect(asking.answers(7).keys.count == 11)
        #expect(asking.made == 10)
    }

    @Test func `so many keys wait to be made and no more`() throws {
        let asking = try Asking()
        for number in 0..<(SigningKeyMaker.waitingLimit + 10) { asking.ask("rl_\(number)") }
        for _ in 0..<SigningKeyMaker.waitingLimit { asking.workshop.gate.signal() }
        let answers = asking.answers(SigningKeyMaker.waitingLimit + 10)
        #expect(answers.refusals.map(\.denial) == Array(repeating: .overloaded, count: 10))
        #expect(try asking.store.contents().signingKeys.count == SigningKeyMaker.waitingLimit)
    }

    @Test func `a caller who makes up realms is refused beyond the bound, before a key is made`() throws {
        let asking = try Asking(Self.realms(StoreIndex.realmLimit))
        asking.ask("rl_more")
        let refusals = asking.answers(1).refusals
        #expect(refusals.map(\.denial) == [.parametersInvalid])
        #expect(refusals.first?.messages == ["Realms of a key set are limited to 1000"])
        #expect(asking.made == 0)
    }

    @Test func `a key that is locked to a realm has one made beyond the bound`() throws {
        let asking = try Asking(Self.realms(StoreIndex.realmLimit))
        asking.ask("rl_more", isLocked: true)
        asking.workshop.gate.signal()
        #expect(asking.answers(1).keys.count == 1)
        #expect(asking.made == 1)
    }

    @Test func `no key is made where there is one by now`() throws {
        let asking = try Asking(Self.realms(StoreIndex.realmLimit))
        asking.ask("rl_7")
        #expect(asking.answers(1).keys == ["jky_7"])
        #expect(asking.made == 0)
    }
}
