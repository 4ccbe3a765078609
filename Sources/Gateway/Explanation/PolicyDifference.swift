package import Policy

/// What is different between the files of two policies.
package enum PolicyDifference {
    package static func changes(from old: PolicySource, to new: PolicySource) throws(ExplainFault) -> [PolicyChange] {
        PolicyComparison.changes(from: try old.document(), to: try new.document())
    }
}

extension PolicySource {
    /// The policy file as JSON.
    func document() throws(ExplainFault) -> PolicyDocument {
        let bytes: [UInt8]
        do throws(LocalFileFault) { bytes = try LocalFile(path: path).bytes(atMost: Self.byteLimit) } catch {
            throw ExplainFault(error.message)
        }
        guard let document = PolicyDocument(bytes.span, file: path) else { throw ExplainFault("\(path) is no JSON") }
        return document
    }
}
