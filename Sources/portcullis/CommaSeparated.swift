/// Splits an option's value at its commas; empty parts are refused by what reads them.
@Sendable
func commaSeparated(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
}
