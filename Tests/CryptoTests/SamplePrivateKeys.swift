import Core
import Testing

/// Private keys as PKCS #8 in DER, spelled in base64url. They protect nothing.
enum SamplePrivateKeys {
    /// The key of RFC 7515 appendix A.2.1.
    static let rfc7515 = """
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh-BYK4uPJtGXOjS1lYmM2K5J9vinh8CR3_BYlzJChNuOL2TSXxbbqY913Ee\
        Z8dCn5VrD7io8ImtxLaYk8wTM_U-\
        3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNnjuygxmj3AbONv_s4yDQs4v5tJ_reSlpIdJed1LnPmt7Ex1sFhSwsD174\
        pcF1A5L5ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkftoaHLFcW9Qr4NY2ai50Xw0Byj3-\
        H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHgVFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vL\
        NO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzu\
        bSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jT\
        j3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0KpLttoLhyt3SmqdEf_kg\
        HePDdtzEafpAu-cS191R2JiuoF2yzWXnwFDcqGigp5BNr0AHQfD8_Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqEl\
        MGAg-C2V0L4oNXnP7LZcPAZRwKBgQC5A8R-\
        CZW2MvRTLLHzwZkUXV866cff7tx6kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAPrq3rbAOal78eUH5OcE\
        D6eNuCV8ixEu1eWcPNCS_l1OW1EnXUEoEHKl54Xrrz2uNwkgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7_Ls5bkUp\
        5u9SN0Ai3Ya6hNnvWJMb7sXQX6U_zyO2M_hTip7tUeh7CXgwo59dkpN75gJLVds29-DAncu3KXU4f2Fa-\
        7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf_evpitUf-\
        4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcGyoAe9fa65iNqCq-jdw6PVNGo2hxfjSiZ8IIzHdsPXI89__pMjZcQK9\
        r-CCoRjaZjOYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2\
        oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-\
        ZQwVK0JKSHuLFkuQ3U
        """

    /// 1024 bits, made for these tests.
    static let rsa1024 = """
        MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAK6RzXR2yG0Bf2TeBRZaJVA3MoLx9Keb3Wi00xDsySJEiYCWbpEQ0TcHrfdA-O\
        OP0o_5gJyeQSpwDnSs4q2aZgUMMcPzzNpb2y5PJnkIn6o39jCM9ykCdktemlcc7LXWSnW67cO_m0Ow_w88Rbp7jINybJxNVIi2uAADxMSqBhmr\
        AgMBAAECgYEAp9q6W0n73hSakjqJWbzENCVfBFnyjVdpxcxZRuTnYXPVYzdCiWpKQUe5Fw36Q5V_OcEG0ZG5xzyIKdgy_gqAHLOqDWtK4cK36H\
        AS2wbtiJIwWCITkfHvpodTBAhDNaQtpR_Ri1s3qdQXhKxqVGp_UDnqQ5kNWzIYRn-8vVL2iIECQQDZ8ERSM66XoOZlrIOpHq8hlS1-\
        zjDhYafEiLVycSwUo-4vY6QM3F5gOhMkmp-\
        cbMWYFK7pk03yGZ4WRQAX6nEpAkEAzQ6RMR2egAlbJuMuC5ZeHXXNY3TnmNXhWvsQJswEDiQzUPKx5RuhHayr_0wz2B8Unz-5ov7MmKo-\
        FJ2U_g5qswJANo27PGxtds0y_x548puYsSpbchOBDtnYGg0yhkwoAZ6rX7dseD-tbB79bbs62vgrWg9LXXKfH0wkU2TASjxISQJAbRXCx44qM5\
        LGmvlgFWn4x1NT4ATg771YFT5aaUk_HwbDBd0WJft8ynyBQ18WdXKTVeRgrQU_cjeervjlugGRYQJBANTQ0AeTv-\
        YVJyQDr8HQCmamOA3lW0Ipynb3ppOKfiUqY-rjqc-pLc05ieVvbweCba7PLbSkqmlH8udsq6km_Jg
        """

    /// A key of another kind, made for these tests.
    static let p256 = """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAPSGpEHnZwFmwBM-\
        x4zBRVMCVnim64x7kx37QQ5TSkKhRANCAASDcCXJdEKgYwFQBUiFB64b5TNx1GYvqqKisHq-\
        iKQ9W3LyKi7QmjEscXDwM9TOTBdNLmNBOgExLNJ1T2J35aT4
        """

    static func decoded(_ text: String) throws -> [UInt8] {
        let bytes = Base64URL.decode(text.utf8.span)
        return try #require(bytes)
    }
}
