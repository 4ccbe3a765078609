import Core
import Foundation
import Testing

struct Base64URLTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
        ("\u{3FF}?>", "z78_Pg"),
    ])
    func `bytes and text stand for each other`(plain: String, text: String) {
        #expect(Base64URL.encode(plain.utf8.span) == text)
        #expect(Base64URL.decode(text.utf8.span) == Array(plain.utf8))
    }

    @Test(arguments: [
        "A", "AAAAA", "Zg==", "Zg=", "Zm8=", "Z g", " Zg", "Zg\n", "Zm9v\n", "Zm+v", "Zm/v", "Zm9v.", "Zm9é",
        "Zm9v\0\0", "=", "====", "Zm9vYg==",
    ])
    func `padding, white space, other alphabets and impossible lengths are refused`(text: String) {
        #expect(Base64URL.decode(text.utf8.span) == nil)
    }

    @Test func `of all texts that could end a byte, only the one with zero bits behind it is read`() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for (value, last) in alphabet.enumerated() {
            #expect((Base64URL.decode([0x5A, last].span) != nil) == (value % 16 == 0))
            #expect((Base64URL.decode([0x5A, 0x6D, last].span) != nil) == (value % 4 == 0))
        }
    }

    @Test func `every byte outside of the alphabet is refused at every place`() {
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for byte in UInt8.min...UInt8.max {
            for place in 0..<7 {
                var text = Array("AAAAAAA".utf8)
                text[place] = byte
                if place == 6 { text[place] = alphabet.contains(byte) ? 0x41 : byte }
                #expect((Base64URL.decode(text.span) != nil) == alphabet.contains(text[place]))
            }
        }
    }

    @Test func `random bytes survive, and agree with Foundation`() {
        var generator = SplitMix(state: 5)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            let text = Base64URL.encode(bytes.span)
            #expect(Base64URL.decode(text.utf8.span) == bytes)
            let other = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
                "=", with: "")
            #expect(text == other)
        }
    }

    @Test func `decoding appends, and leaves the output alone when it refuses`() {
        var output: [UInt8] = [1, 2]
        let read = Base64URL.decode("Zm9v".utf8.span, into: &output)
        #expect(read && output == [1, 2, 0x66, 0x6F, 0x6F])
        let refused =
            Base64URL.decode("Zm9vZ".utf8.span, into: &output) || Base64URL.decode("Zm9vYmF!".utf8.span, into: &output)
        #expect(!refused && output == [1, 2, 0x66, 0x6F, 0x6F])
    }
}
