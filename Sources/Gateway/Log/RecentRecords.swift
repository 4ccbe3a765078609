import Core

/// The last access records that were written, as the batches they came in. Bounded in bytes; the oldest batch goes first.
struct RecentRecords {
    private let byteLimit: Int
    private var batches: [[UInt8]] = []
    /// The oldest batch: those before it are empty.
    private var first = 0
    private var bytes = 0

    init(byteLimit: Int = FixedBounds.recentRecordBytes) { self.byteLimit = byteLimit }

    /// Keeps whole lines.
    mutating func add(_ batch: [UInt8]) {
        guard batch.count <= byteLimit else { return }
        // A copy of the right size: the batch's own storage goes back to the loops.
        batches.append(batch.span.copied())
        bytes += batch.count
        while bytes > byteLimit {
            bytes -= batches[first].count
            batches[first] = []
            first += 1
        }
        if first > 64, first * 2 > batches.count {
            batches.removeFirst(first)
            first = 0
        }
    }

    /// The newest line of a request. Linear in what is kept.
    func line(of requestID: String) -> [UInt8]? {
        var wanted = Array(",\"request_id\":".utf8)
        wanted.append(jsonString: requestID)
        wanted.append(0x2C)
        for batch in batches[first...].reversed() {
            for line in batch.split(separator: 0x0A).reversed() where line.count > wanted.count {
                // It stands behind the time, which has one length.
                if Self.holds(line, wanted) { return Array(line) }
            }
        }
        return nil
    }

    private static func holds(_ line: ArraySlice<UInt8>, _ wanted: [UInt8]) -> Bool {
        guard let comma = line.firstIndex(of: 0x2C), line.endIndex - comma >= wanted.count else { return false }
        return line[comma..<comma + wanted.count].elementsEqual(wanted)
    }
}
