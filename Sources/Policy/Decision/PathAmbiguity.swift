/// A path that some server reads otherwise than it was matched, and where that leads.
package struct PathAmbiguity: Sendable, Equatable {
    /// What the other reading comes to.
    package enum Outcome: Sendable, Equatable {
        /// Another route, by its place in the file.
        case route(Int)
        /// No route, or none that takes the method.
        case noRoute
        /// The same route with other path captures, of which the route makes use.
        case otherCaptures
        /// The path has more readings than are looked at.
        case tooManyReadings
    }

    /// What the other reading does, in the order of `PathReading`'s cases.
    package var readings: [PathReading]
    /// The path as it is read.
    package var path: String
    package var outcome: Outcome

    /// The name of the other route; nil where the other reading selects none.
    package func otherRoute(in snapshot: Snapshot) -> String? {
        switch outcome {
        case .route(let index): snapshot.routes[index].name
        case .noRoute, .otherCaptures, .tooManyReadings: nil
        }
    }

    /// `read with ";" parameters cut as /admin it selects "admin", not "open"`
    /// - Parameter route: the one that the gateway reads the path as.
    func sentence(for route: String, in snapshot: Snapshot) -> String {
        let reading = "read with \(readings.map(\.phrase).joined(separator: " and ")) as \(path)"
        return switch outcome {
        case .route(let index): "\(reading) it selects \(quoted(snapshot.routes[index].name)), not \(quoted(route))"
        case .noRoute: "\(reading) it selects no route, not \(quoted(route))"
        case .otherCaptures: "\(reading) it has other captures for \(quoted(route))"
        case .tooManyReadings: "it has more readings than are looked at, and is matched to \(quoted(route))"
        }
    }
}
