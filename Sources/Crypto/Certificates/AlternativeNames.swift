import COpenSSL
import Core

/// The subject alternative names of a certificate, taken apart.
struct AlternativeNames {
    private(set) var dns: [String] = []
    private(set) var uris: [String] = []
    private(set) var emails: [String] = []
    private(set) var addresses: [IPAddress] = []

    init(_ certificate: X509Certificate) {
        unsafe withUnsafeMutablePointer(to: &self) { names in
            // The callback runs inside this call only, while `names` is valid, and reads each value to its count.
            unsafe copenssl_each_alternative_name(certificate.pointer, names) { names, type, bytes, count in
                let value = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
                unsafe names?.assumingMemoryBound(to: AlternativeNames.self).pointee
                    .append(type: type, Array(value))
            }
        }
    }

    private mutating func append(type: Int32, _ value: [UInt8]) {
        if type == GEN_IPADD {
            if let address = IPAddress(networkOrder: value) { addresses.append(address) }
            return
        }
        guard !value.isEmpty, value.allSatisfy({ (0x21...0x7E).contains($0) }) else { return }
        let text = String(decoding: value, as: UTF8.self)
        switch type {
        case GEN_DNS: dns.append(text)
        case GEN_URI: uris.append(text)
        case GEN_EMAIL: emails.append(text)
        default: break
        }
    }
}

extension IPAddress {
    /// Four bytes or sixteen.
    fileprivate init?(networkOrder bytes: [UInt8]) {
        func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: self.init(v4: UInt32(truncatingIfNeeded: word(0..<4)))
        case 16: self.init(high: word(0..<8), low: word(8..<16))
        default: return nil
        }
    }
}
