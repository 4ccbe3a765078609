import Core

/// A header the gateway sets: its name as it is sent, and its value.
final class FieldTemplate: Sendable {
    private let name: [UInt8]
    private let value: ValueTemplate
    /// There is nothing to send for nobody.
    let needsIdentity: Bool
    /// The same identity under the same route always has the same value.
    let isFixed: Bool
    /// A part of the value is taken from the path.
    let usesPath: Bool
    /// A part of the value is a user's of the store.
    let usesUser: Bool

    init(name: String, value: ValueTemplate) {
        self.name = Array(name.utf8)
        self.value = value
        needsIdentity = value.needsIdentity
        isFixed = value.isFixed
        usesPath = value.usesPath
        usesUser = value.usesUser
    }

    /// Adds the lines of several templates, leaving out those that have nothing to say. False when a value is too long;
    /// then nothing may be forwarded.
    static func append(
        _ templates: [FieldTemplate], to lines: inout HeaderLines, scratch: inout [UInt8], _ source: TemplateSource,
        path: Span<UInt8>, requestID: Span<UInt8>
    ) -> Bool {
        for template in templates {
            if template.needsIdentity, source.identity.isAnonymous { continue }
            switch template.append(to: &lines, scratch: &scratch, source, path: path, requestID: requestID) {
            case .written, .absent: continue
            case .tooLong: return false
            }
        }
        return true
    }

    /// What became of writing it.
    enum Outcome { case written, absent, tooLong }

    /// Adds the line, unless the value is empty or a part of it is absent.
    /// - Parameter scratch: for the value, kept by the caller so that nothing is allocated.
    func append(
        to lines: inout HeaderLines, scratch: inout [UInt8], _ source: TemplateSource, path: Span<UInt8>,
        requestID: Span<UInt8>
    ) -> Outcome {
        scratch.removeAll(keepingCapacity: true)
        guard value.render(source, path: path, requestID: requestID, form: .field, to: &scratch), !scratch.isEmpty else {
            return .absent
        }
        guard scratch.count <= ValueTemplate.byteLimit else { return .tooLong }
        let name = name
        lines.append(name: name.span, value: scratch.span)
        return .written
    }
}
