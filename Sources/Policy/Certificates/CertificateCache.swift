import Core

/// Verdicts of certificate authenticators that one loop remembers: the certificate of a connection is judged once, not for
/// each request. Bounded: a pair of certificate and authenticator has one place, and who comes there next takes it over.
///
/// An entry holds on to both objects, so that neither's identity in memory can pass to another one.
struct CertificateCache {
    private struct Slot {
        let certificate: ClientCertificate
        let authenticator: CertificateAuthenticator
        let verdict: CertificateVerdict
    }

    private var slots: [Slot?] = []

    /// Forgets everything.
    mutating func removeAll() { slots = [] }

    /// What the authenticator says of the certificate at `now`.
    mutating func verdict(
        on certificate: ClientCertificate, by authenticator: CertificateAuthenticator, now: WallTime
    ) -> CertificateVerdict {
        // Time changes nothing else about a verdict.
        if now >= certificate.notAfter { return .refused(.certificateExpired) }
        if slots.isEmpty { slots = Array(repeating: nil, count: FixedBounds.certificateCacheEntries) }
        let word =
            UInt64(UInt(bitPattern: ObjectIdentifier(certificate))) &* 0x9E37_79B9_7F4A_7C15
            ^ UInt64(UInt(bitPattern: ObjectIdentifier(authenticator)))
        let place = Int(truncatingIfNeeded: (word &* 0xD6E8_FEB8_6659_FD93) >> 40) & (slots.count &- 1)
        if let slot = slots[place], slot.certificate === certificate, slot.authenticator === authenticator {
            return slot.verdict
        }
        let verdict = authenticator.judge(certificate, now: now)
        slots[place] = Slot(certificate: certificate, authenticator: authenticator, verdict: verdict)
        return verdict
    }
}
