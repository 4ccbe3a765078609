import Core
import Testing

struct ByteSizeTextTests {
    @Test(
        arguments: [
            ("0B", 0), ("512B", 512), ("64KiB", 65_536), ("10MiB", 10_485_760), ("1GiB", 1_073_741_824), ("1KB", 1000),
            ("2MB", 2_000_000),
            ("3GB", 3_000_000_000), ("18446744073709551615B", .max),
        ] as [(String, UInt64)])
    func `a size is this many bytes`(text: String, size: UInt64) {
        #expect(ByteSizeText.parse(text) == size)
    }

    @Test(arguments: [
        "", "B", "1", "1k", "1K", "1kB", "1kib", "1KIB", "1M", "1b", "-1B", "+1B", "1.5MiB", "01B", "1 KiB", " 1KiB",
        "1KiB ", "1TiB",
        "18446744073709551616B", "17179869184GiB", "99999999999999999999999KB",
    ])
    func `anything else is refused`(text: String) {
        #expect(ByteSizeText.parse(text) == nil)
    }
}
