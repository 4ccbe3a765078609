/// What can be wrong with one field line, wherever it stands.
enum FieldFault {
    case nameInvalid, whitespaceBeforeColon, lineFolded, valueInvalid, lineEndingInvalid

    /// The fault of a line beginning with a byte that no name begins with.
    init(firstByte byte: UInt8) {
        switch byte {
        case 0x20, 0x09: self = .lineFolded
        case 0x0A: self = .lineEndingInvalid
        default: self = .nameInvalid
        }
    }

    /// The fault of a name followed by `byte`, which is not a colon.
    init(afterName byte: UInt8) {
        switch byte {
        case 0x20, 0x09: self = .whitespaceBeforeColon
        default: self = .nameInvalid
        }
    }
}
