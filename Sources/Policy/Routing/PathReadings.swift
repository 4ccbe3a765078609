import Core

/// The rule that keeps an API from seeing a path that would have selected another route.
///
/// A path has *readings*: what a server may take it for that does some of what `PathReading` lists, one of it or several
/// at once. Each reading is routed as a request for that path would be, method and header conditions included. The request
/// is refused with `path_ambiguous` when a reading
///
/// - selects another route than the path itself, in its normal form, does;
/// - selects no route, if what is forwarded still has that reading: the policy does not expose such a path. What is forwarded
///   has no empty segments any more, so that of the readings which need them (`empty_segments`, `authority`) only those count
///   that select another route, and so it is with slashes that `encoded_slash` keeps, unless dot segments come to light;
/// - selects the same route with other path captures, if the route makes use of captures. Differences of letter case, and
///   dots and spaces at an end, are no other captures.
///
/// Routes may have readings of their own: a path counts in the readings of the route it selects, and, where that leads to another
/// route, in the readings of the other one as well, since the same server may be behind both.
///
/// Two routes whose patterns differ by letter case alone are told apart by the policy itself: in this reading either is as
/// good as the other.
///
/// Paths without anything that could be read otherwise cost nothing (`PathShape`). Others cost a pass and a lookup for each
/// reading that their bytes allow, `byteLimit` bytes in all; a path with more to be read is refused.
struct PathReadings: Sendable {
    /// Arrays that are filled anew for each path.
    struct Scratch: Sendable {
        var unmerged: [UInt8] = []
        var plain: [UInt8] = []
        var text: [UInt8] = []
        var folded: [UInt8] = []
        var host: [UInt8] = []

        init() {}
    }

    /// The bytes of all readings of one path that are looked at. Most paths are below 100 bytes; the most readings a path can
    /// have are 1,280.
    static let byteLimit = 65_536

    /// The readings of each route, by its place in the file.
    private let ofRoutes: [PathReadingSet]
    /// The different sets among them.
    private let sets: [PathReadingSet]
    /// The routes by patterns whose literals are decoded, and by patterns whose literals are folded as well.
    let decoded: RouteTable
    let folded: RouteTable
    /// Literals have encoded characters; have letters that fold.
    let decodesLiterals: Bool
    let foldsLiterals: Bool
    /// Also a path without upper-case letters is to be folded, since literals of patterns have some.
    let looksAtPlainPaths: Bool

    /// - Parameters:
    ///   - ofRoutes: the readings of each route.
    ///   - table: made from the same routes and patterns.
    init(_ ofRoutes: [PathReadingSet], table: RouteTable, _ routes: [RouteConfiguration], patterns: [PathPattern], seed: HashSeed) {
        self.ofRoutes = ofRoutes
        sets = Set(ofRoutes).sorted { $0.order < $1.order }
        let literals = patterns.lazy.flatMap(\.segments).compactMap { segment -> [UInt8]? in
            if case .literal(let text) = segment { return Array(text.utf8) }
            return nil
        }
        decodesLiterals = literals.contains { $0.contains(0x25) }
        foldsLiterals = literals.contains { literal in
            let decoded = RouteTableBuilder.decoded(literal)
            return LetterFold.folded(decoded) != decoded
        }
        looksAtPlainPaths = foldsLiterals && sets.contains { $0.contains(.letterCase) }
        decoded = decodesLiterals
            ? RouteTableBuilder(routes, patterns: patterns, key: RouteTableBuilder.decoded).table(seed: seed) : table
        folded = foldsLiterals
            ? RouteTableBuilder(routes, patterns: patterns) { LetterFold.folded(RouteTableBuilder.decoded($0)) }.table(seed: seed)
            : decoded
    }

    /// The readings of a route.
    func of(_ route: Int) -> PathReadingSet { ofRoutes[route] }

    /// The first reading that leads elsewhere; nil when all lead to the route.
    /// - Parameters:
    ///   - normal: the normal form of the path, by which `route` was found; what is forwarded, or means the same.
    ///   - unmerged: the same with its empty segments; nil where it has none.
    func ambiguity(
        of head: RequestHead, _ shape: PathShape, normal: Span<UInt8>, unmerged: Span<UInt8>?, route: Route,
        scratch: inout Scratch
    ) -> PathAmbiguity? {
        let own = ofRoutes[route.index]
        var search = PathReadingSearch(readings: self, route: route, enabled: own)
        if let found = search.look(shape, normal, unmerged: unmerged, head, &scratch) { return found }
        guard sets.count > 1 else { return nil }
        for other in sets where other != own {
            search.begin(enabled: own.union(other), reaching: other)
            if let found = search.look(shape, normal, unmerged: unmerged, head, &scratch) { return found }
        }
        return nil
    }
}
