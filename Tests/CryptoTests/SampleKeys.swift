/// Public keys made for these tests, and signatures of the text "message" by their private halves, which were thrown
/// away.
enum SampleKeys {
    static let message = "message"

    /// SubjectPublicKeyInfo, 2048 bits.
    static let rsa = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnd1DaURorAEEzk95btxz
        GN5CNaxxTyd0MU7M87N111ubrCr1C7EP6qWt0u5djTGO87n6YRo/AZiLGhWy9jxy
        GKcHbr0j5cfoj9FMt8QSVI1tEkmudR1x+ctgndXAG1UJCK0MY7iqgJAL/v4Pg2On
        HPvWc2aefdm0uMY3ORs5mXBKr8H3AYxpnVFNgTsFIEdOw3rdxS37COi3ji7xG9d+
        ewAcDe2rOxOijIcQOrX4svIHs5yJmLmvG4gRrQZyaxCAokeRU4Mdm5I8JVjhUqDY
        iBDQRN1bm3LTBgsIs8xaYEOhIfayollNb9ZLDv5DCzNhbWqaiBpAsPa2/OTAIfg9
        KQIDAQAB
        -----END PUBLIC KEY-----
        """

    /// The same key as PKCS#1 has it.
    static let rsaPKCS1 = """
        -----BEGIN RSA PUBLIC KEY-----
        MIIBCgKCAQEAnd1DaURorAEEzk95btxzGN5CNaxxTyd0MU7M87N111ubrCr1C7EP
        6qWt0u5djTGO87n6YRo/AZiLGhWy9jxyGKcHbr0j5cfoj9FMt8QSVI1tEkmudR1x
        +ctgndXAG1UJCK0MY7iqgJAL/v4Pg2OnHPvWc2aefdm0uMY3ORs5mXBKr8H3AYxp
        nVFNgTsFIEdOw3rdxS37COi3ji7xG9d+ewAcDe2rOxOijIcQOrX4svIHs5yJmLmv
        G4gRrQZyaxCAokeRU4Mdm5I8JVjhUqDYiBDQRN1bm3LTBgsIs8xaYEOhIfayollN
        b9ZLDv5DCzNhbWqaiBpAsPa2/OTAIfg9KQIDAQAB
        -----END RSA PUBLIC KEY-----
        """

    /// The same key in a certificate.
    static let rsaCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIC/zCCAeegAwIBAgIUArWcU+KvRXSTm43qlqThp+iJfKowDQYJKoZIhvcNAQEL
        BQAwDzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjEwNTUwNTJaFw0zNjExMTgwNTUw
        NTJaMA8xDTALBgNVBAMMBHRlc3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEK
        AoIBAQCd3UNpRGisAQTOT3lu3HMY3kI1rHFPJ3QxTszzs3XXW5usKvULsQ/qpa3S
        7l2NMY7zufphGj8BmIsaFbL2PHIYpwduvSPlx+iP0Uy3xBJUjW0SSa51HXH5y2Cd
        1cAbVQkIrQxjuKqAkAv+/g+DY6cc+9ZzZp592bS4xjc5GzmZcEqvwfcBjGmdUU2B
        OwUgR07Det3FLfsI6LeOLvEb1357ABwN7as7E6KMhxA6tfiy8geznImYua8biBGt
        BnJrEICiR5FTgx2bkjwlWOFSoNiIENBE3VubctMGCwizzFpgQ6Eh9rKiWU1v1ksO
        /kMLM2FtapqIGkCw9rb85MAh+D0pAgMBAAGjUzBRMB0GA1UdDgQWBBRDHlwEcrcH
        TGgYV1URoRmFcy+G/zAfBgNVHSMEGDAWgBRDHlwEcrcHTGgYV1URoRmFcy+G/zAP
        BgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQBcsLsA7Q1A1+K8MSs3
        ZS7AuF2izqsimuZ6Tsj0pp3tqHyKQo7arYSCoARggQjlal/26mzkyBfTr36NcFnB
        SGFPnEzQYAUy9sfnzuGjlpR+y6pxRm4zdjqBvErG2Y9R9bpYlu2zPaI+/fkZILbZ
        jhA+4v0puPmLr9PdeLD4ooT0GPBzDG7cymjbCS41Uwd7htDnXV9FdePwZ1+ICgh/
        RhW3h7WskPpMiykTLtNOvOAhoxCmUd4HtYqskZaS4RdZ0eHZIJCqa03Xbb2ctEAo
        L1PnNhjEq9jQE0EHlPFSF6P/SEYqa9+i/FPAGXinrnMyaBvihW2EgwMiDYyimy2v
        KZrZ
        -----END CERTIFICATE-----
        """

    /// P-256.
    static let p256 = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6mO6LbHiIJ4k0zcgyoGXtvhsvvwA
        eJS/1g78i7qabacDc/qZQmY6o1EsFFRd3+e/ZDrmxKgHnYM+mYQG0IKLjQ==
        -----END PUBLIC KEY-----
        """

    /// The same point in compressed form.
    static let p256Compressed = """
        -----BEGIN PUBLIC KEY-----
        MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAD6mO6LbHiIJ4k0zcgyoGXtvhsvvwA
        eJS/1g78i7qabac=
        -----END PUBLIC KEY-----
        """

    /// Ed25519.
    static let ed25519 = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAq36LmNp1W/GyF9Y99nQoH2VPc4O1gU6rmeZ0/uxWGf0=
        -----END PUBLIC KEY-----
        """

    /// A curve no algorithm here is for.
    static let secp256k1 = """
        -----BEGIN PUBLIC KEY-----
        MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEN86zFXNWJBucN2DggXZQWRquPpwyR9f+
        guUf4110QyzlWYQsH85IY1kf4VJGpIfK6ZJ/p7NqTbEgBqsYYA5mmQ==
        -----END PUBLIC KEY-----
        """

    /// 1024 bits.
    static let rsa1024 = """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCo9cKOekrDnYJn1cPhdpNj4nsV
        Hdb1iMFqQBRFmYPrAb0rqwvNk6zEVY5tmXJsGbjqb9+Pu5u1Xbgygasb9WRsXpSy
        8Flwquab2GwPic+Labc0ZPOEMpprRxqx+JMXiJu59ruXfeJd7OpJ+YOfK2Kz6nao
        gLIxIqkLsFUcdQlF7wIDAQAB
        -----END PUBLIC KEY-----
        """

    static let rs256Signature =
        "03a097fe955f93ff5f49da3f0c96ef41a215042de64930a5b3dc3246df293645a02d39e19cff86fb16eb0787deb0f96c"
        + "56496b096e4c453c600a6aa722e8ec65289f783156fbfe62b97ff9046b59c4ce8438ad954f85d42b0f3a88f4ca4a2106"
        + "d81d5eae5f19f3fa9eb342a5fa3b6f1be6dc58e5ffbcde33ec48bd3089e8e4bc97884f89726e8168c9680f9dbd25ca01"
        + "6eb7f2b33522290486baa1f66b9a4e9b39c079a03281ee0c5a826d179a4307a355ac45214d407aa2c45727881a78ee2e"
        + "508dc1540cffcf9a84e20248bf67dfe118f87752deddadb47c056dfc2c42efea84eb9e38b82350670bb369ecbd3c68c5"
        + "af374e235c09af5cb85d070fd08c327d"

    static let es256Signature =
        "915c6113027ba16a37fc854ab8a17e21c203c79bdf99283bb745d3ce27f74e07e2dce7f63fbd345ef363224767405c8c"
        + "29522fcadf325961f39ab5ad014bbab6"

    static let ed25519Signature =
        "2f9db55782e401bf3b7e12135d191d2fd5276a0d3eafc30e9ab48834cebf79bb2a5642b3a31b402ba2ef8436749ce020"
        + "bbf5fe140f0068481d4ec740ef496401"
}
