import Core

/// The name that was probably meant.
enum Suggestion {
    /// The candidate nearest to `name`: at most two single-character edits away, or one of the two begins with the
    /// other. Of several the nearest, then the first in alphabetical order. Nil when nothing is near.
    static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.utf8.prefix(lengthLimit + 1))
        guard wanted.count <= lengthLimit, !wanted.isEmpty else { return nil }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let bytes = Array(candidate.utf8.prefix(lengthLimit + 1))
            guard bytes.count <= lengthLimit else { continue }
            guard let distance = closeness(wanted, bytes) else { continue }
            if let known = best, (known.distance, known.candidate) <= (distance, candidate) { continue }
            best = (candidate, distance)
        }
        return best?.candidate
    }

    /// `; did you mean "gold"?`, or nothing.
    static func phrase(for name: String, among candidates: some Sequence<String>) -> String {
        guard let candidate = nearest(to: name, among: candidates) else { return "" }
        return "; did you mean \(quoted(candidate))?"
    }

    private static let lengthLimit = 64

    private static func closeness(_ a: [UInt8], _ b: [UInt8]) -> Int? {
        let shorter = min(a.count, b.count)
        if abs(a.count - b.count) <= 2 {
            let distance = editDistance(a.map(\.lowercasedASCII), b.map(\.lowercasedASCII))
            if distance <= 2, distance < shorter { return distance }
        }
        // Two letters begin too many names to be a hint.
        return shorter >= 3 && a.prefix(shorter) == b.prefix(shorter) ? 3 : nil
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for (row, byte) in a.enumerated() {
            var current = [row + 1]
            for (column, other) in b.enumerated() {
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == b[column - 1], a[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[b.count]
    }
}
