import Core

/// The faults that a request's head and a response's head have in common.
protocol HeadFault {
    static var fieldNameInvalid: Self { get }
    static var whitespaceBeforeColon: Self { get }
    static var fieldLineFolded: Self { get }
    static var fieldValueInvalid: Self { get }
    static var lineEndingInvalid: Self { get }
    static var contentLengthInvalid: Self { get }
    static var contentLengthRepeated: Self { get }
    static var transferEncodingInvalid: Self { get }
    static var transferEncodingRepeated: Self { get }
    static var transferCodingNotSupported: Self { get }
    static var connectionInvalid: Self { get }
}

extension RequestFault: HeadFault {}
extension ResponseFault: HeadFault {}

extension HeadFault {
    init(_ fault: FieldFault) {
        self =
            switch fault {
            case .nameInvalid: .fieldNameInvalid
            case .whitespaceBeforeColon: .whitespaceBeforeColon
            case .lineFolded: .fieldLineFolded
            case .valueInvalid: .fieldValueInvalid
            case .lineEndingInvalid: .lineEndingInvalid
            }
    }

    init(_ fault: FramingFieldFault) {
        self =
            switch fault {
            case .contentLengthInvalid: .contentLengthInvalid
            case .contentLengthRepeated: .contentLengthRepeated
            case .transferEncodingInvalid: .transferEncodingInvalid
            case .transferEncodingRepeated: .transferEncodingRepeated
            case .transferCodingNotSupported: .transferCodingNotSupported
            case .connectionInvalid: .connectionInvalid
            }
    }
}
