import Core

/// What waits for the registry's queue. The administrator's changes and readings come first, those of callers take turns.
struct RegistryLine {
    typealias Reading = @Sendable () -> Void

    private var changes = FairLine<any PendingChange>(.init(waitingPerCaller: FixedBounds.storeChangesPerCaller))
    private var readings = FairLine<Reading>(.init(waitingPerCaller: FixedBounds.storeReadingsPerCaller))

    var isEmpty: Bool { changes.isEmpty && readings.isEmpty }

    /// False where the caller has too many waiting.
    mutating func add(_ change: any PendingChange, for requester: Requester) -> Bool { changes.add(change, for: requester) }

    /// False where the caller has too many waiting.
    mutating func add(reading: @escaping Reading, for requester: Requester) -> Bool { readings.add(reading, for: requester) }

    /// The administrator's changes, for a commit of their own.
    mutating func urgentChanges(atMost limit: Int) -> [any PendingChange] {
        var batch: [any PendingChange] = []
        while batch.count < limit, let next = changes.nextUrgent() { batch.append(next) }
        return batch
    }

    /// Changes of callers, one of each in turn, for one commit.
    mutating func callersChanges(atMost limit: Int) -> [any PendingChange] {
        var batch: [any PendingChange] = []
        while batch.count < limit, let next = changes.nextOfCaller() {
            changes.finish(next.requester)
            batch.append(next.work)
        }
        return batch
    }

    mutating func urgentReading() -> Reading? { readings.nextUrgent() }

    mutating func callersReading() -> Reading? {
        guard let next = readings.nextOfCaller() else { return nil }
        readings.finish(next.requester)
        return next.work
    }
}
