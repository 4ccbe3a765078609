import Core

/// Builds a `RouteTable` from the routes of a configuration and finds those that tie with an earlier one.
struct RouteTableBuilder {
    /// A route and the first earlier one that would both be chosen for some request, by their indices.
    struct Tie: Equatable {
        var first: Int
        var second: Int
    }

    private var nodes: [RouteTable.Node] = []
    private var leaves: [[Int32]] = []
    private var captures: [[Int]] = []
    private var literals: [(owner: Int32, key: [UInt8], value: Int32)] = []
    private var literalIndex: [LiteralKey: Int32] = [:]
    private var hosts: [(owner: Int32, key: [UInt8], value: Int32)] = []
    private var roots: [String: Int32] = [:]
    private var conditions: [RouteConditions] = []
    private(set) var ties: [Tie] = []

    private struct LiteralKey: Hashable {
        var node: Int32
        var segment: [UInt8]
    }

    /// What literals are looked up by.
    private let key: ([UInt8]) -> [UInt8]

    /// `patterns[i]` is the path pattern of `routes[i]`.
    /// - Parameter key: what a literal is looked up by; literals of one key are one.
    init(_ routes: [RouteConfiguration], patterns: [PathPattern], key: @escaping ([UInt8]) -> [UInt8] = { $0 }) {
        self.key = key
        conditions = routes.map(RouteConditions.init)
        for (index, route) in routes.enumerated() {
            // A host that is listed twice is one host.
            for host in route.hosts.isEmpty ? [""] : Set(route.hosts).sorted() {
                add(index, patterns[index], root: root(of: host))
            }
        }
        for place in leaves.indices { Self.order(&leaves[place], by: conditions) }
    }

    func table(seed: HashSeed) -> RouteTable {
        RouteTable(
            nodes: nodes,
            leaves: zip(leaves, captures).map { routes, captures in
                RouteTable.Leaf(
                    routes: routes, allow: allow(routes), captures: captures, unconditional: unconditional(routes))
            },
            literals: ByteTable(literals, seed: seed), hosts: ByteTable(hosts, seed: seed),
            hasSuffixes: hosts.contains { $0.owner == 1 }, anyHost: roots[""] ?? -1, conditions: conditions)
    }

    private func unconditional(_ routes: [Int32]) -> Int32 {
        guard let first = routes.first else { return -1 }
        let condition = conditions[Int(first)]
        return condition.methods.isEverything && condition.headers.isEmpty ? first : -1
    }

    private mutating func root(of host: String) -> Int32 {
        if let root = roots[host] { return root }
        let root = addNode()
        roots[host] = root
        if host.hasPrefix("*.") {
            hosts.append((1, Array(host.utf8.dropFirst(2)), root))
        } else if !host.isEmpty {
            hosts.append((0, Array(host.utf8), root))
        }
        return root
    }

    private mutating func addNode() -> Int32 {
        nodes.append(RouteTable.Node())
        return Int32(nodes.count - 1)
    }

    private mutating func add(_ route: Int, _ pattern: PathPattern, root: Int32) {
        var node = root
        for segment in pattern.segments {
            switch segment {
            case .literal(let text): node = child(of: node, text)
            case .capture:
                if nodes[Int(node)].capture < 0 {
                    let child = addNode()
                    nodes[Int(node)].capture = child
                }
                node = nodes[Int(node)].capture
            }
        }
        switch pattern.tail {
        case .none: addLeaf(at: node, \.end, route, pattern)
        case .slash: addLeaf(at: node, \.slash, route, pattern)
        case .rest: addLeaf(at: node, \.rest, route, pattern)
        }
    }

    /// A literal decoded, as `PathText` writes paths.
    static func decoded(_ literal: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        PathText.write(([0x2F] + literal).span, PathText.Form(), to: &text)
        return Array(text.dropFirst())
    }

    private mutating func child(of node: Int32, _ segment: String) -> Int32 {
        let segment = key(Array(segment.utf8))
        let key = LiteralKey(node: node, segment: segment)
        if let child = literalIndex[key] { return child }
        let child = addNode()
        literalIndex[key] = child
        literals.append((node, segment, child))
        nodes[Int(node)].hasLiterals = true
        return child
    }

    private mutating func addLeaf(
        at node: Int32, _ place: WritableKeyPath<RouteTable.Node, Int32>, _ route: Int, _ pattern: PathPattern
    ) {
        if nodes[Int(node)][keyPath: place] < 0 {
            leaves.append([])
            captures.append(
                pattern.segments.indices.filter { index in
                    if case .capture = pattern.segments[index] { return true }
                    return false
                })
            nodes[Int(node)][keyPath: place] = Int32(leaves.count - 1)
        }
        let leaf = Int(nodes[Int(node)][keyPath: place])
        if ties.last?.second != route, let other = firstTie(of: route, at: leaf) { ties.append(Tie(first: other, second: route)) }
        leaves[leaf].append(Int32(route))
    }

    /// The first route of a leaf that ties with `route`. One is enough to refuse it: naming all pairs of n equal routes would take
    /// n² steps and lines.
    private func firstTie(of route: Int, at leaf: Int) -> Int? {
        for other in leaves[leaf] where conditions[Int(other)].ties(with: conditions[route]) { return Int(other) }
        return nil
    }

    /// The most specific route first; among equals, which no request meets at once, the order of the file.
    ///
    /// Static, since a method of `self` would be given a copy of the builder for each leaf, and with it a copy of `leaves`.
    private static func order(_ leaf: inout [Int32], by conditions: [RouteConditions]) {
        guard leaf.count > 1 else { return }
        leaf.sort { a, b in
            let (first, second) = (conditions[Int(a)], conditions[Int(b)])
            if first.isMoreSpecific(than: second) { return true }
            return second.isMoreSpecific(than: first) ? false : a < b
        }
    }

    private func allow(_ routes: [Int32]) -> [UInt8] {
        var names: [String] = []
        for route in routes {
            for name in conditions[Int(route)].methods.names where !names.contains(name) { names.append(name) }
        }
        return Array(names.joined(separator: ", ").utf8)
    }
}
