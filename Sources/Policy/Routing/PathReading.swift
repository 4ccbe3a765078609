/// A way in which some servers read a path and others do not. The raw values stand in the file, in `paths.readings`.
package enum PathReading: String, Sendable, CaseIterable {
    /// `//` is one slash, or is not.
    case emptySegments = "empty_segments"
    /// `//x/y` is `/y` of the host `x`, as for a URL parser that is given the target as a reference.
    case authority
    /// `;…` is no part of the segment it stands in.
    case parameters
    /// A `%2F` or `%5C` that `paths.encoded_slash` keeps is a slash.
    case encodedSlash = "encoded_slash"
    /// Upper and lower case are one, and so are the letters and digits that Unicode folds into those of ASCII.
    case letterCase = "letter_case"
    /// Percent-encodings are decoded, all of them and twice.
    case doubleDecoding = "double_decoding"
    /// Dots and spaces at the end of a segment are no part of it.
    case trailingDots = "trailing_dots"
    /// Bytes that are not UTF-8, where `paths.invalid_utf8` keeps them, are left out, taken for ISO 8859-1, or decoded all the same.
    case invalidUTF8 = "invalid_utf8"

    /// A bit of its own.
    fileprivate var bit: UInt8 {
        switch self {
        case .emptySegments: 1
        case .authority: 2
        case .parameters: 4
        case .encodedSlash: 8
        case .letterCase: 16
        case .doubleDecoding: 32
        case .trailingDots: 64
        case .invalidUTF8: 128
        }
    }

    /// How an explanation names the reading.
    var phrase: String {
        switch self {
        case .emptySegments: "empty segments read otherwise"
        case .authority: "\"//\" taken for the beginning of an authority"
        case .parameters: "\";\" parameters cut"
        case .encodedSlash: "encoded slashes taken for slashes"
        case .letterCase: "letters folded"
        case .doubleDecoding: "percent-encodings decoded"
        case .trailingDots: "dots and spaces at the end of segments cut"
        case .invalidUTF8: "bytes that are not UTF-8 left out or decoded"
        }
    }
}

/// A set of readings that is asked for each path.
struct PathReadingSet: Sendable, Hashable {
    private let bits: UInt8

    init(_ readings: some Sequence<PathReading>) { bits = readings.reduce(0) { $0 | $1.bit } }

    private init(bits: UInt8) { self.bits = bits }

    func union(_ other: PathReadingSet) -> PathReadingSet { PathReadingSet(bits: bits | other.bits) }

    var isEmpty: Bool { bits == 0 }

    /// A number of its own.
    var order: UInt8 { bits }

    @inline(__always)
    func contains(_ reading: PathReading) -> Bool { bits & reading.bit != 0 }
}
