import Core
import Dispatch
import Policy
import Store
import Synchronization
import Testing

@testable import TokenService

/// What management costs whom: what is refused costs nothing, and one caller's load holds up neither the administrator nor others.
struct ManagementServiceTests {
    private final class Fixture: Sendable {
        let threads = ScriptedThreads()
        /// What took long, in its order.
        let made = Mutex<[String]>([])
        let answers = Mutex<[String: String]>([:])
        let store = MemoryStore()
        private let answered = DispatchSemaphore(value: 0)
        private let submitted = DispatchSemaphore(value: 0)
        private let service: Mutex<ManagementService?>
        private let registry: Registry

        init(_ fill: [StoreChange]) throws {
            _ = try store.commit(fill, at: 0)
            let (store, threads, submitted) = (self.store, self.threads, self.submitted)
            registry = Registry(open: { () throws(StoreFault) in store }, publish: { _, _ in }, report: { _ in })
            service = Mutex(nil)
            registry.start()
            let pool = WorkPool(width: 1) {
                threads.execute($0)
                submitted.signal()
            }
            let material = MaterialMaker(
                passwordHash: { [self] password in
                    self.made.withLock { $0.append("hash \(password)") }
                    return "hash of \(password)"
                },
                isPassword: { [self] password, hash in
                    self.made.withLock { $0.append("check \(password)") }
                    return hash == "hash of \(password)"
                },
                privateKey: { [self] in
                    self.made.withLock { $0.append("key") }
                    return [1]
                }, givenPrivateKey: { _ in nil })
            let made = ManagementService(
                registry: registry, audit: AuditTrail(clock: { ManagementFixture.now }), material: material, pool: pool,
                seed: HashSeed(1, 2), instant: { Instant(nanoseconds: 0) }, keyMaker: ManagementFixture.keyMaker)
            service.withLock { $0 = made }
        }

        /// Makes a call, whose outcome goes by the name: the status of an answer, the reason of a refusal.
        func call(_ name: String, _ call: ManagementCall) {
            service.withLock { $0 }?.perform(call) { outcome in
                let text =
                    switch outcome {
                    case .answer(let answer): "\(answer.status)"
                    case .refuse(let denial, _, _): denial.reason
                    }
                self.answers.withLock { $0[name] = text }
                self.answered.signal()
            }
        }

        /// The outcome of a call that waits for no thread.
        func outcome(_ call: ManagementCall) -> String? {
            self.call("only", call)
            answered.wait()
            return answers.withLock { $0.removeValue(forKey: "only") }
        }

        func waitForAnswers(_ count: Int) { for _ in 0..<count { answered.wait() } }
        func waitForThreads(_ count: Int) { for _ in 0..<count { submitted.wait() } }
    }

    private static let place = SourcePosition(line: 1, column: 1)

    private static func user(_ id: String, password: String? = "old password") -> StoreChange {
        .putUser(
            StoredUser(
                id: id, email: "\(id)@example.org", name: id, passwordHash: password.map { "hash of \($0)" }, scopes: ["read"],
                createdAt: WallTime(seconds: 1), tokensValidFrom: WallTime(seconds: 1)))
    }

    private static let key = StoredKey(
        id: "leaked", authenticator: "keys", name: "leaked", subject: "ada", createdAt: WallTime(seconds: 1), secrets: [])

    /// A call as a route with `own` takes it.
    private static func change(
        _ user: String, _ members: String, as caller: String? = nil, interest: ActionInterest? = nil
    ) -> ManagementCall {
        var configuration = ManagementConfiguration(resource: .users)
        configuration.isOwnOnly = true
        let caller = caller ?? user
        var call = ManagementCall(
            configuration: configuration,
            caller: ManagementCaller(method: "api_key", credential: "k", subject: caller, scopes: ["read"], grantsAnything: false),
            method: .patch, item: user, contentType: "application/json", content: Array("{\"user\":{\(members)}}".utf8),
            now: ManagementFixture.now)
        call.requester = .caller("subject \(caller)")
        call.interest = interest
        return call
    }

    private static var revocation: ManagementCall {
        var configuration = ManagementConfiguration(resource: .apiKeys)
        configuration.authenticator = Located("keys", at: place, path: "")
        return ManagementCall(
            configuration: configuration, caller: ManagementCaller(method: "admin", grantsAnything: true), method: .delete,
            item: "leaked", now: ManagementFixture.now)
    }

    private static let good = #""password":"new password","current_password":"old password""#

    @Test(arguments: [
        (#""password":"x1","current_password":"old password""#, "parameters_invalid"),
        (#""password":"new password""#, "parameters_invalid"),
        (#""password":"new password","current_password":"old password","scopes":["root"]"#, "scope_missing"),
        (#""password":"new password","current_password":"old password","email":"b@example.org""#, "parameters_invalid"),
        (#""password":"new password","current_password":"old password","more":1"#, "parameters_invalid"),
    ])
    func `a change that is refused has no hash made`(members: String, reason: String) throws {
        let fixture = try Fixture([Self.user("ada"), .putUser(StoredUser(
            id: "b", email: "b@example.org", name: "b", passwordHash: nil, createdAt: WallTime(seconds: 1),
            tokensValidFrom: WallTime(seconds: 1)))])
        #expect(fixture.outcome(Self.change("ada", members)) == reason)
        #expect(fixture.outcome(Self.change("nowhere", Self.good, as: "ada")) == "resource_not_found")
        #expect(fixture.threads.count == 0 && fixture.made.withLock { $0 } == [])
    }

    @Test(arguments: [
        #""algo":"rs256""#, #""algo":"rs256","use":"encrypt""#, #""algo":"rs256","use":"sign","more":1"#,
    ])
    func `a key that is refused is not made`(members: String) throws {
        let fixture = try Fixture([])
        var configuration = ManagementConfiguration(resource: .jwtKeys)
        configuration.keySet = Located("own", at: Self.place, path: "")
        let call = ManagementCall(
            configuration: configuration, caller: ManagementCaller(method: "api_key", grantsAnything: false), method: .post,
            contentType: "application/json", content: Array("{\"jwt_key\":{\(members)}}".utf8), now: ManagementFixture.now)
        #expect(fixture.outcome(call) == "parameters_invalid")
        #expect(fixture.threads.count == 0 && fixture.made.withLock { $0 } == [])
    }

    @Test func `a revocation waits for none of two hundred changes of one user`() throws {
        let fixture = try Fixture([Self.user("ada"), Self.user("bob"), .putKey(Self.key)])
        for number in 0..<200 { fixture.call("ada \(number)", Self.change("ada", Self.good)) }
        // One is under way, so many wait, and the others are refused.
        let waiting = FixedBounds.costlyWorkWaitingPerCaller + 1
        fixture.waitForAnswers(200 - waiting)
        #expect(Set(fixture.answers.withLock { $0.values }) == ["overloaded"])
        #expect(fixture.outcome(Self.revocation) == "202")
        #expect(try fixture.store.contents().keys.isEmpty)
        // Another user takes turns with the one who has so much waiting.
        fixture.call("bob", Self.change("bob", Self.good))
        #expect(fixture.outcome(Self.change("bob", "")) == "200")
        for _ in 0..<3 {
            fixture.waitForThreads(1)
            fixture.threads.runOne()
        }
        fixture.waitForAnswers(2)
        // Answers come from the registry's queue: that of the other user may be the last of the three.
        if fixture.answers.withLock({ $0["bob"] }) == nil { fixture.waitForAnswers(1) }
        #expect(fixture.answers.withLock { $0["bob"] } == "200")
    }

    @Test func `a client that has gone away has no hash made`() throws {
        let fixture = try Fixture([Self.user("ada")])
        let interest = ActionInterest()
        fixture.call("gone", Self.change("ada", Self.good, interest: interest))
        fixture.waitForThreads(1)
        interest.leave()
        fixture.threads.runAll()
        fixture.waitForAnswers(1)
        #expect(fixture.answers.withLock { $0["gone"] } == "overloaded" && fixture.made.withLock { $0 } == [])
    }

    @Test func `guesses at the current password are counted, those that waited together too`() throws {
        let fixture = try Fixture([Self.user("ada")])
        for number in 0..<15 {
            fixture.call("\(number)", Self.change("ada", #""password":"new password","current_password":"guess \#(number)""#))
        }
        for _ in 0..<15 {
            fixture.waitForThreads(1)
            fixture.threads.runOne()
        }
        fixture.waitForAnswers(15)
        let reasons = fixture.answers.withLock { Array($0.values) }
        #expect(reasons.count { $0 == "current_password_wrong" } == 10 && reasons.count { $0 == "too_many_attempts" } == 5)
        #expect(fixture.made.withLock { $0.count } == 10)
        #expect(try fixture.store.contents().users.first?.passwordHash == "hash of old password")
    }

    @Test func `a password that was changed meanwhile has to be shown anew`() throws {
        let fixture = try Fixture([Self.user("ada")])
        fixture.call("first", Self.change("ada", Self.good))
        fixture.call("second", Self.change("ada", #""password":"mine, not yours","current_password":"old password""#))
        // Both have been decided once, and wait for their hashes.
        #expect(fixture.outcome(Self.change("ada", "")) == "200")
        fixture.waitForThreads(1)
        fixture.threads.runOne()
        fixture.waitForAnswers(1)
        // The second finds the password right that was in force when it came, and then another one in force.
        for _ in 0..<2 {
            fixture.waitForThreads(1)
            fixture.threads.runOne()
        }
        fixture.waitForAnswers(1)
        #expect(fixture.answers.withLock { $0 } == ["first": "200", "second": "current_password_wrong"])
        #expect(try fixture.store.contents().users.first?.passwordHash == "hash of new password")
    }
}
