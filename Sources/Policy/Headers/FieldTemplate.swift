import Core

/// A header the gateway sets: its name as it is sent, and its value.
struct FieldTemplate: Sendable {
    let name: [UInt8]
    let value: ValueTemplate

    /// What became of writing it.
    enum Outcome { case written, absent, tooLong }

    /// Adds the line, unless a part of its value is absent.
    func append(
        to lines: inout HeaderLines, scratch: inout [UInt8], _ source: TemplateSource, path: Span<UInt8>,
        requestID: Span<UInt8>
    ) -> Outcome {
        scratch.removeAll(keepingCapacity: true)
        guard value.render(source, path: path, requestID: requestID, form: .field, to: &scratch), !scratch.isEmpty
        else {
            return .absent
        }
        guard scratch.count <= ValueTemplate.byteLimit else { return .tooLong }
        lines.append(name: name.span, value: scratch.span)
        return .written
    }
}
