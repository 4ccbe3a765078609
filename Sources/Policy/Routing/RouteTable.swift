package import Core

/// Finds the route of a request: by host, then by path, then by method and header conditions.
///
/// - Host: routes for exactly this host, then those for the longest matching `*.suffix`, then those for any host.
/// - Path: segment by segment from the left, a literal before a capture before `/**` (which also matches nothing:
///   `/files/**` serves `/files`). The host and path that fit best decide alone: when their routes do not take the
///   method or lack a header, the request is refused, and no wider pattern that may ask for less gets it.
/// - Among the routes of one pattern: named methods before any method, more header conditions before fewer. Two that
///   could both be chosen are an error of the policy.
///
/// The cost of a lookup depends on the request's segments, not on the number of routes, and nothing is allocated.
package struct RouteTable: Sendable {
    /// A place in the tree of patterns.
    struct Node: Sendable {
        /// The child for a segment that no literal child has; -1 for none.
        var capture: Int32 = -1
        /// The leaf for a path that ends here, without a slash, with one, and for all that goes on; -1 for none.
        var end: Int32 = -1
        var slash: Int32 = -1
        var rest: Int32 = -1
        var hasLiterals = false
    }

    /// The routes of one pattern, the most specific first.
    struct Leaf: Sendable {
        var routes: [Int32]
        /// The `Allow` field of a 405.
        var allow: [UInt8]
        /// Which segments of the pattern are captures, counted from 0.
        var captures: [Int]
        /// The first route, where it asks for nothing beside host and path; else -1.
        var unconditional: Int32
    }

    /// What a lookup found.
    package enum Outcome: Equatable, Sendable {
        /// The index of the route.
        case found(Int)
        /// Only the method did not fit; the index of the leaf whose methods `allow(_:)` lists.
        case methodNotAllowed(leaf: Int)
        case notFound
    }

    let nodes: [Node]
    let leaves: [Leaf]
    let literals: ByteTable
    /// Owner 0: exact hosts. Owner 1: suffixes of "*." patterns, without the "*.". Values are root nodes.
    let hosts: ByteTable
    let hasSuffixes: Bool
    /// The root for any host; -1 for none.
    let anyHost: Int32
    let conditions: [RouteConditions]

    /// The routes' methods for an `Allow` field: "GET, HEAD".
    package func allow(_ leaf: Int) -> [UInt8] { leaf < leaves.count ? leaves[leaf].allow : [] }

    /// Looks a request up by its normalised path.
    /// - Parameter scratch: for the host in lower case; kept by the caller so that nothing is allocated.
    @inline(__always)
    package func route(_ head: RequestHead, path: Span<UInt8>, scratch: inout [UInt8]) -> Outcome {
        guard let leaf = leaf(head, path: path, scratch: &scratch) else { return .notFound }
        return choose(at: leaf, head)
    }

    /// The leaf of the pattern that fits host and path best.
    @inline(__always)
    func leaf(_ head: RequestHead, path: Span<UInt8>, scratch: inout [UInt8]) -> Int? {
        if !hosts.isEmpty, let leaf = leafOfHost(head, path: path, scratch: &scratch) { return leaf }
        return anyHost < 0 ? nil : search(anyHost, path, 1)
    }

    private func leafOfHost(_ head: RequestHead, path: Span<UInt8>, scratch: inout [UInt8]) -> Int? {
        let authority = head.bytes.span.extracting(head.authority.range)
        let host = Authority.hostRange(in: authority)
        scratch.removeAll(keepingCapacity: true)
        for index in host { scratch.append(authority[index].lowercasedASCII) }
        // "api.example." is the same host as "api.example" (RFC 3986 §3.2.2).
        if scratch.last == 0x2E { scratch.removeLast() }
        if let root = hosts.value(0, scratch.span), let leaf = search(root, path, 1) { return leaf }
        guard hasSuffixes else { return nil }
        var dot = scratch.span.firstIndex(of: 0x2E)
        while let position = dot {
            let suffix = scratch.span.extracting(position &+ 1..<scratch.count)
            if position > 0, let root = hosts.value(1, suffix), let leaf = search(root, path, 1) { return leaf }
            dot = scratch.span.firstIndex(of: 0x2E, from: position &+ 1)
        }
        return nil
    }

    /// The leaf for the path from `start`, which stands behind a slash. Every node is visited at most once, since the
    /// patterns are a tree; its depth is bounded by `PathPattern.segmentLimit`.
    private func search(_ node: Int32, _ path: Span<UInt8>, _ start: Int) -> Int? {
        let here = nodes[Int(node)]
        if start >= path.count {
            // Behind the last slash, or at the root.
            let leaf = here.slash >= 0 ? here.slash : here.rest
            return leaf < 0 ? nil : Int(leaf)
        }
        let end = path.firstIndex(of: 0x2F, from: start) ?? path.count
        let segment = path.extracting(start..<end)
        if here.hasLiterals, let child = literals.value(node, segment), let leaf = enter(child, path, end) {
            return leaf
        }
        // A capture never stands for an empty segment.
        if here.capture >= 0, start < end, let leaf = enter(here.capture, path, end) { return leaf }
        return here.rest < 0 ? nil : Int(here.rest)
    }

    @inline(__always)
    private func enter(_ child: Int32, _ path: Span<UInt8>, _ end: Int) -> Int? {
        if end < path.count { return search(child, path, end &+ 1) }
        let node = nodes[Int(child)]
        let leaf = node.end >= 0 ? node.end : node.rest
        return leaf < 0 ? nil : Int(leaf)
    }

    /// Both paths have the same values in the captures of a leaf's pattern, percent-encodings decoded.
    func capturesAgree(at leaf: Int, _ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        for segment in leaves[leaf].captures {
            var first: [UInt8] = []
            var second: [UInt8] = []
            first.append(percentDecoding: a.extracting(PathSegments.range(of: segment, in: a)))
            second.append(percentDecoding: b.extracting(PathSegments.range(of: segment, in: b)))
            if first != second { return false }
        }
        return true
    }

    /// A route is among those of a leaf whose method and header conditions fit.
    func selects(_ route: Int, at leaf: Int, _ head: RequestHead) -> Bool {
        guard leaves[leaf].routes.contains(Int32(route)) else { return false }
        return conditions.span[route].headersFit(head) && conditions.span[route].methodFits(head)
    }

    /// The first route of a leaf whose method and header conditions fit.
    @inline(__always)
    func choose(at leaf: Int, _ head: RequestHead) -> Outcome {
        let only = leaves.span[leaf].unconditional
        if only >= 0 { return .found(Int(only)) }
        return chooseByConditions(at: leaf, head)
    }

    private func chooseByConditions(at leaf: Int, _ head: RequestHead) -> Outcome {
        let routes = leaves[leaf].routes
        var failsByMethodOnly = false
        for route in routes {
            guard conditions.span[Int(route)].headersFit(head) else { continue }
            if conditions.span[Int(route)].methodFits(head) { return .found(Int(route)) }
            failsByMethodOnly = true
        }
        return failsByMethodOnly ? .methodNotAllowed(leaf: leaf) : .notFound
    }
}
