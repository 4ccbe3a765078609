import Core

extension RequestFault {
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

extension ResponseFault {
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
