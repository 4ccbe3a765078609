import Core

/// A page in the Prometheus text format, version 0.0.4: families of samples with labels.
package struct PrometheusText {
    package enum Kind: String { case counter, gauge, histogram }

    package static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Begins a family; its samples follow.
    package mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        bytes.append("# HELP ")
        bytes.append(name)
        bytes.append(" ")
        bytes.append(help)
        bytes.append("\n# TYPE ")
        bytes.append(name)
        bytes.append(" ")
        bytes.append(contentsOf: kind.rawValue.utf8)
        bytes.append("\n")
    }

    /// One sample with a whole value.
    package mutating func sample(
        _ name: StaticString, suffix: StaticString = "", _ labels: [(StaticString, String)] = [],
        _ value: some FixedWidthInteger
    ) {
        begin(name, suffix, labels)
        bytes.append(decimal: value)
        bytes.append("\n")
    }

    /// One sample that is a span of time: nanoseconds in, seconds with nine decimals out.
    package mutating func sample(
        _ name: StaticString, suffix: StaticString = "", _ labels: [(StaticString, String)] = [],
        nanoseconds: UInt64
    ) {
        begin(name, suffix, labels)
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        bytes.append(decimal: seconds)
        bytes.append(".")
        var unit: UInt64 = 100_000_000
        while unit > 0 {
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: rest / unit % 10))
            unit /= 10
        }
        bytes.append("\n")
    }

    private mutating func begin(_ name: StaticString, _ suffix: StaticString, _ labels: [(StaticString, String)]) {
        bytes.append(name)
        bytes.append(suffix)
        if !labels.isEmpty {
            bytes.append("{")
            for (index, label) in labels.enumerated() {
                if index > 0 { bytes.append(",") }
                bytes.append(label.0)
                bytes.append("=\"")
                for byte in label.1.utf8 {
                    switch byte {
                    case 0x5C: bytes.append("\\\\")
                    case 0x22: bytes.append("\\\"")
                    case 0x0A: bytes.append("\\n")
                    default: bytes.append(byte)
                    }
                }
                bytes.append("\"")
            }
            bytes.append("}")
        }
        bytes.append(" ")
    }
}
