/// What one loop counts of one upstream. The pool of that upstream keeps the object and counts in it directly.
package final class UpstreamCounters {
    package struct Values: Sendable {
        package var opened: UInt64 = 0
        /// Exchanges that went over a connection kept from an earlier one.
        package var reused: UInt64 = 0
        /// Connections that could not be made, or died under an exchange.
        package var failed: UInt64 = 0
        /// Requests sent a second time.
        package var retries: UInt64 = 0
        /// Connections open now, busy or idle.
        package var open = 0

        package init() {}

        /// Adds another loop's counts of the same upstream.
        package mutating func merge(_ other: Values) {
            opened &+= other.opened
            reused &+= other.reused
            failed &+= other.failed
            retries &+= other.retries
            open += other.open
        }
    }

    package let name: String
    package var values = Values()

    package init(name: String) { self.name = name }
}
