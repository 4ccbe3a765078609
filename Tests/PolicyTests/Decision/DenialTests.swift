import Testing

@testable import Policy

struct DenialTests {
    @Test func `every reason is an identifier of its own`() {
        let reasons = Denial.allReasons
        #expect(Set(reasons).count == reasons.count)
        for reason in reasons {
            #expect(reason.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) }, "\(reason)")
        }
    }

    @Test func `every status is an error with a standard phrase`() {
        for denial in Denial.all {
            #expect((400...599).contains(denial.status), "\(denial.reason)")
            #expect(denial.title.description != "Status", "\(denial.reason)")
        }
    }

    @Test func `every detail is one printable sentence`() {
        for denial in Denial.all {
            let detail = denial.detail.description
            #expect(detail.hasSuffix(".") && detail.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(detail)")
            // What stands in a challenge is in quotation marks.
            let isChallenged = denial.status == 401 || denial == .scopeMissing || denial == .credentialAmbiguous
            if isChallenged { #expect(!detail.contains("\"") && !detail.contains("\\"), "\(detail)") }
        }
    }

    @Test func `only what was shown and bad counts as a failure`() {
        #expect(Denial.credentialUnknown.isBadCredential)
        #expect(Denial.token(.expired).isBadCredential)
        #expect(!Denial.credentialMissing.isBadCredential)
        #expect(!Denial.token(.keySetUnavailable).isBadCredential)
        #expect(!Denial.scopeMissing.isBadCredential)
        #expect(!Denial.rateLimited.isBadCredential)
    }

    @Test func `only what could be a guess charges the failure budget`() {
        let guesses = Denial.all.filter(\.couldBeGuess).map(\.reason)
        #expect(
            Set(guesses) == [
                "token_malformed", "token_too_large", "token_algorithm_not_allowed", "token_key_unknown", "token_signature_invalid",
                "credential_malformed", "credential_unknown", "login_failed", "current_password_wrong", "refresh_token_invalid",
            ])
    }

    @Test func `what a parser found keeps its own words`() {
        let denial = Denial.malformedRequest(reason: "host_missing", status: 400, detail: "No Host.")
        #expect(denial.reason == "host_missing")
        #expect(denial.detail.description == "No Host.")
        #expect(denial != .malformedRequest(reason: "host_invalid", status: 400))
    }
}
