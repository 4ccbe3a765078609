package import Policy

/// What is different between the files of two policies.
package enum PolicyDifference {
    package static func changes(from old: PolicySource, to new: PolicySource) throws(ExplainFault) -> [PolicyChange] {
        PolicyComparison.changes(from: try old.document(), to: try new.document())
    }
}

extension PolicySource {
    /// The policy file and the file of its tests as JSON.
    func document() throws(ExplainFault) -> PolicyDocument {
        let bytes = try text(of: path)
        guard let document = PolicyDocument(bytes.span, file: path) else { throw ExplainFault("\(path) is not JSON") }
        guard let name = document.testsFile else { return document }
        let file = PolicyFiles.resolved(name, from: path)
        let content = try text(of: file)
        guard let tests = TestsDocument(content.span, file: OneLine.plain(file)) else {
            throw ExplainFault("\(OneLine.plain(file)) is not a list of tests")
        }
        return PolicyDocument(bytes.span, file: path, tests: tests) ?? document
    }

    private func text(of file: String) throws(ExplainFault) -> [UInt8] {
        do throws(LocalFileFault) { return try LocalFile(path: file).bytes(atMost: Self.byteLimit) } catch {
            throw ExplainFault(error.message)
        }
    }
}
