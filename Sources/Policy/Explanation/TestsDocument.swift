import Core

/// The text of the file that `tests_file` names, as JSON.
package struct TestsDocument: Sendable {
    /// The file as the operating system takes it.
    package let file: String
    /// In the order of the file, each with its path.
    let tests: [(node: JSONNode, path: String)]

    /// Nil when the text is neither a list nor an object with one.
    package init?(_ text: Span<UInt8>, file: String) {
        guard let root = try? JSONNode.parse(text, dialect: .policy) else { return nil }
        let list = root["tests"] ?? root
        guard case .array(let elements) = list.value else { return nil }
        self.file = file
        let parent = root["tests"] == nil ? "" : "tests"
        tests = elements.enumerated().map { ($1, "\(parent)[\($0)]") }
    }
}
