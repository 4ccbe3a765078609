extension IPAddress {
    /// 127.0.0.0/8 (RFC 1122 §3.2.1.3) and ::1 (RFC 4291 §2.5.3).
    package var isLoopback: Bool {
        switch family {
        case .v4: low >> 24 == 127
        case .v6: high == 0 && low == 1
        }
    }

    /// Loopback, link-local (RFC 3927, RFC 4291 §2.5.6), private (RFC 1918, RFC 4193) and shared (RFC 6598) addresses: none that
    /// the Internet routes to.
    package var isPrivate: Bool {
        if isLoopback { return true }
        return switch family {
        case .v4:
            low >> 24 == 10 || low >> 20 == 0xAC1 || low >> 16 == 0xC0A8 || low >> 16 == 0xA9FE || low >> 22 == 0x191
        case .v6: high >> 57 == 0x7E || high >> 54 == 0x3FA
        }
    }
}
