import Core

/// Which watched files are being written to, as far as events tell: one whose content was changed and that its writer has not closed
/// since is probably half written. Values in, values out.
struct OpenWrites {
    /// How long a writer is waited for. Some never close: programs that hold a file open, and truncate(2), which opens none.
    static let patience: Nanoseconds = .seconds(30)
    /// After this long the operator learns what is waited for.
    static let silence: Nanoseconds = .seconds(1)

    private struct Place: Hashable {
        var watch: Int32
        var name: String
    }

    private struct Write {
        var since: Instant
        var isReported = false
    }

    private var writes: [Place: Write] = [:]

    /// No file is being written to.
    var isEmpty: Bool { writes.isEmpty }

    /// Follows what happened to an entry of a watched directory.
    /// - Parameter isEmptyFile: the entry is a regular file without content. A file that was just created and has none yet is about to
    ///   be written; a link to a file that was written before has some.
    mutating func note(_ event: DirectoryEvent, now: Instant, isEmptyFile: () -> Bool) {
        let place = Place(watch: event.watch, name: event.name)
        if event.isClosedWrite || event.isAnotherFile { writes.removeValue(forKey: place) }
        guard event.isModification || event.isCreation && isEmptyFile() else { return }
        if writes[place] == nil { writes[place] = Write(since: now) }
    }

    /// Events of directories that are no longer watched are ignored.
    mutating func keep(where isWatched: (Int32) -> Bool) {
        if !writes.isEmpty { writes = writes.filter { isWatched($0.key.watch) } }
    }

    /// The names of files that have been written to for so long that the operator is to know, each once.
    mutating func takeUnreported(now: Instant) -> [String] {
        var names: [String] = []
        for (place, write) in writes where !write.isReported && now.since(write.since) >= Self.silence {
            writes[place]?.isReported = true
            names.append(place.name)
        }
        return names.sorted()
    }

    /// Forgets the writes that have been waited for long enough, and names their files.
    mutating func takeExpired(now: Instant) -> [String] {
        let expired = writes.filter { now.since($0.value.since) >= Self.patience }.map(\.key)
        for place in expired { writes.removeValue(forKey: place) }
        return expired.map(\.name).sorted()
    }

    /// When the next write is to be reported or given up; nil when there is none.
    var nextDue: Instant? {
        writes.values.map { $0.since.advanced(by: $0.isReported ? Self.patience : Self.silence) }.min()
    }
}
