import Core

/// Where the collection, the records and the operations of a `manage` action are among the paths of its route.
///
/// The captures `id` and `operation` name them. Under `/**` the segments after the pattern are, in this order, those of the two
/// that the pattern does not capture: `/v1/keys/**` has the collection at `/v1/keys`, a record at `/v1/keys/ID` and an operation
/// at `/v1/keys/ID/rotate`.
struct ManagedPaths: Sendable {
    /// What the path of a request is about.
    enum Target: Equatable, Sendable {
        case collection
        case record(id: String)
        case operation(String, id: String)
    }

    private let management: ManagementConfiguration
    /// Segments of the captures, counted from 0.
    private let id: Int?
    private let operation: Int?
    private let isInOrganization: Bool
    /// The segments before `/**`; nil for a pattern without it.
    private let rest: Int?

    init(_ management: ManagementConfiguration, captures: [(name: String, segment: Int)], rest: Int?) {
        self.management = management
        self.rest = rest
        func segment(_ name: String) -> Int? { captures.first { $0.name == name }?.segment }
        id = segment("id")
        operation = segment("operation")
        isInOrganization = segment("organization") != nil
    }

    /// - Parameter path: in normal form, matched by the route's pattern.
    /// - Returns: nil where nothing is served: a path that goes on after an operation, an empty segment, an unknown operation.
    func target(of path: Span<UInt8>) -> Target? {
        let segments = path.copied().dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        // The root has one segment, which is empty.
        let isRoot = segments.count == 1 && segments[0].isEmpty
        var more = rest.map { isRoot ? [] : segments.dropFirst($0) } ?? []
        guard !more.contains([]) else { return nil }
        func segment(_ capture: Int?) -> ArraySlice<UInt8>? {
            guard let capture else { return more.popFirst() }
            return capture < segments.count ? segments[capture] : nil
        }
        let record = segment(id)
        let name = segment(operation)
        guard more.isEmpty else { return nil }
        guard let record else { return .collection }
        guard let name else { return .record(id: Self.text(record)) }
        let text = Self.text(name)
        return management.resource.operations.contains(text) ? .operation(text, id: Self.text(record)) : nil
    }

    private static func text(_ segment: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        text.append(percentDecoding: Array(segment).span)
        return String(decoding: text, as: UTF8.self)
    }

    /// What is served, as sentences for operators name it: "a list", "records by their id".
    var served: [String] {
        let record = id != nil || rest != nil
        let operations = operation != nil || rest != nil ? management.resource.operations.map { "the operation \"\($0)\"" } : []
        return (id == nil ? ["a list"] : []) + (record && (operation == nil || rest != nil) ? ["records by their id"] : []) + operations
    }

    /// The methods that the resource has there, as an `Allow` field lists them.
    func methods(of target: Target) -> [String] {
        // Callers who are confined to what is theirs make and remove no user, and those confined to an organization none of those.
        let isFixed =
            switch management.resource {
            case .users: management.isOwnOnly
            case .organizations: isInOrganization
            case .apiKeys, .jwtKeys, .projects, .memberships: false
            }
        switch target {
        case .collection: return ["GET", "HEAD"] + (isFixed ? [] : ["POST"])
        case .record:
            return ["GET", "HEAD"] + (management.resource == .jwtKeys ? [] : ["PUT", "PATCH"]) + (isFixed ? [] : ["DELETE"])
        case .operation: return ["POST"]
        }
    }
}

extension ManagementConfiguration.Resource {
    /// What can be done with a record beyond changing it: the last segment of the operation's path.
    package var operations: [String] {
        switch self {
        case .apiKeys: ["rotate"]
        case .users: ["sign_out"]
        case .jwtKeys, .organizations, .projects, .memberships: []
        }
    }
}
