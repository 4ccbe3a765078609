import Core

/// Makes a `TrailerSection` from the fields of a header block behind the content (RFC 9113 §8.1).
struct TrailerBuilder {
    var section = TrailerSection()
    /// A field that no message may hold, or too much of them.
    private(set) var isMalformed = false
    /// The fields' size as SETTINGS_MAX_HEADER_LIST_SIZE counts it.
    private(set) var decodedBytes = 0

    /// Forgets everything but storage.
    mutating func begin() {
        section.removeAll()
        isMalformed = false
        decodedBytes = 0
    }

    mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        decodedBytes &+= name.count &+ value.count &+ 32
        guard !isMalformed else { return }
        guard decodedBytes <= FixedBounds.trailerBytes, name.isLowercaseToken, value.isStrictFieldValue else {
            isMalformed = true
            return
        }
        var line = section.bytes.append(field: name, value: value, known: .named(name))
        line.isDropped = line.isForbiddenInTrailers(in: section.bytes.span)
        section.fields.append(line)
    }

    /// A field that the library will not pass on.
    mutating func noteInvalidField() { isMalformed = true }

    mutating func finish() { if !section.fields.isEmpty { section.bytes.append("\r\n") } }
}
