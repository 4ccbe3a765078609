import Core

/// Diagnostics as they are found. What is wrong with a default is listed once, with the routes that it is wrong for.
struct DiagnosticList {
    /// What is one diagnostic, however many routes inherit the place.
    private struct Subject: Hashable {
        var code: DiagnosticCode
        var position: SourcePosition?
        var path: String
    }

    /// Routes that a diagnostic names; the others are counted.
    private static let namedRoutes = 3

    /// The route that is being looked at; nil outside of routes.
    var route: String?
    private var found: [Diagnostic] = []
    private var ofDefaults: [Subject: Int] = [:]
    /// By index in `found`: the routes it was found for. None where it was found in `defaults` itself.
    private var routes: [Int: [String]] = [:]

    var count: Int { found.count }

    var hasErrors: Bool { found.contains { $0.severity == .error } }

    /// In the order they were found.
    var all: [Diagnostic] {
        guard !routes.isEmpty else { return found }
        return found.enumerated().map { index, diagnostic in
            guard let names = routes[index] else { return diagnostic }
            var diagnostic = diagnostic
            diagnostic.message += " (\(Self.phrase(for: names)))"
            return diagnostic
        }
    }

    mutating func append(_ diagnostic: Diagnostic) {
        guard diagnostic.path.hasPrefix("\(RouteDefaults.member).") else { return found.append(diagnostic) }
        let subject = Subject(code: diagnostic.code, position: diagnostic.position, path: diagnostic.path)
        if let index = ofDefaults[subject] {
            if let route, let last = routes[index]?.last, last != route { routes[index]?.append(route) }
            return
        }
        ofDefaults[subject] = found.count
        if let route { routes[found.count] = [route] }
        found.append(diagnostic)
    }

    private static func phrase(for routes: [String]) -> String {
        let named = routes.prefix(namedRoutes).map { quoted($0) }
        if routes.count > namedRoutes { return "routes \(named.joined(separator: ", ")) and \(routes.count - namedRoutes) more" }
        guard let last = named.last, named.count > 1 else { return "route \(named[0])" }
        return "routes \(named.dropLast().joined(separator: ", ")) and \(last)"
    }
}
