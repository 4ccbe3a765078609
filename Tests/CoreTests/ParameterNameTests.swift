import Testing

@testable import Core

/// Spellings of one parameter: which of them some parser takes for it.
struct ParameterNameTests {
    private func isReadable(_ raw: String, _ name: String) -> Bool {
        ParameterName(name).isReadable(inEscaped: Array(raw.utf8).span)
    }

    @Test(arguments: [
        "user", "User", "USER", "user[]", "user[x]", "user[", "[user]", "user]", "user.x", "user.", "+user", "%20user", "user+", "user%20",
        "user%00", "user%00x", "%75ser", "%2575ser", "%252575ser", "%25252575ser", "%%37%35ser", "%u0075ser", "user%5B%5D", "user%255B0%255D",
        "?user", "%22user%22", "%C1%B5ser", "%E0%81%B5ser", "%EF%BD%95ser", "u%C5%BFer", "%EF%BB%BFuser", "us%E2%80%8Ber", "us%FFer",
        "%FFuser", "user%0D%0A", "%09user", "a%26user", "a%3B%75ser", "user%3Dx", "u_s-e.r", "user%C2%A0",
    ])
    func `another spelling of a name is read as the name by some parser`(raw: String) {
        #expect(isReadable(raw, "user"))
    }

    @Test(arguments: [
        "", "users", "user_id", "username", "xuser", "x[user]", "us", "use", "resu", "u%73e", "%", "%zz", "user%2", "us%C3%A9r", "user1", "user id",
        "%E3%83%A6%E3%83%BC", "user+name", "user_x", "a%3Duser",
    ])
    func `another name is not`(raw: String) {
        #expect(!isReadable(raw, "user"))
    }

    @Test(arguments: [
        ("user_id", "user.id", true), ("user_id", "user[id", true), ("user_id", "user+id", true), ("user_id", "userId", true),
        ("user_id", "user%EF%BC%BFid", true), ("user_id", "user%EF%BC%8Eid", true), ("user_id", "user", false), ("f[x]", "f%5Bx%5D", true), ("_", "_", true), ("_", "%5F", true), ("_", "a", false), ("_", "", false),
        ("k", "%E2%84%AA", true), ("r\u{E9}alm", "R%C3%89ALM", true), ("a.b", "a_b", true),
    ])
    func `separators within a name are alike`(name: String, raw: String, isRead: Bool) {
        #expect(isReadable(raw, name) == isRead)
    }

    @Test func `escapes of escapes without end are read in one step`() {
        let raw = "%" + String(repeating: "25", count: 100_000) + "75ser"
        #expect(isReadable(raw, "user"))
        #expect(!isReadable(String(repeating: "%25", count: 100_000), "user"))
    }
}
