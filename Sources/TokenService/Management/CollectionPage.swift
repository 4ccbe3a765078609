import Core
import Policy

/// Which part of a collection a list is to answer: at most so many records in the order of their ids, behind one of them.
struct CollectionPage {
    static let resultLimit: Int64 = 100

    let after: String?
    let count: Int
    let isDescending: Bool

    /// Reads `after`, `max_results`, `sort` and `direction`.
    init(_ parameters: inout ParameterReader) {
        after = parameters.text("after")
        count = Int(parameters.integer("max_results", in: 1...Self.resultLimit) ?? Self.resultLimit)
        _ = parameters.choice("sort", among: ["id"])
        isDescending = parameters.choice("direction", among: ["asc", "desc"]) != "asc"
    }

    /// The records of the page in their order, and whether more follow. Linear in the records for short pages.
    func select<Record>(
        from records: [Record], id: (Record) -> String
    ) throws(ActionRefusal) -> (records: [Record], hasMore: Bool) {
        var page: [(id: String, record: Record)] = []
        var isAfterKnown = after == nil
        for record in records {
            let id = id(record)
            if let after {
                if id == after { isAfterKnown = true }
                guard precedes(after, id) else { continue }
            }
            if page.count > count, let last = page.last, !precedes(id, last.id) { continue }
            page.insert((id, record), at: place(of: id, in: page))
            if page.count > count + 1 { page.removeLast() }
        }
        guard isAfterKnown else {
            throw ActionRefusal(.parametersInvalid, messages: ["After is not the id of a record in this collection"])
        }
        return (page.prefix(count).map(\.record), page.count > count)
    }

    private func precedes(_ a: String, _ b: String) -> Bool { isDescending ? a > b : a < b }

    private func place<Record>(of id: String, in page: [(id: String, record: Record)]) -> Int {
        var (lower, upper) = (0, page.count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if precedes(page[middle].id, id) { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
