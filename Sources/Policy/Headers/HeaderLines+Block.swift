import Core

extension HeaderLines {
    /// The lines as they are sent, to be remembered and added again.
    var wireForm: [UInt8] { bytes }

    /// Adds lines that were read from `wireForm` of another value of this type.
    mutating func append(wireForm: Span<UInt8>) {
        var start = 0
        while let colon = wireForm.firstIndex(of: 0x3A, from: start) {
            let end = wireForm.firstIndex(of: 0x0D, from: colon) ?? wireForm.count
            append(name: wireForm.extracting(start..<colon), value: wireForm.extracting(colon &+ 1..<end))
            start = min(end &+ 2, wireForm.count)
        }
    }
}
