/// The version of this program (semantic versioning).
enum ProgramVersion {
    static let text = "0.1.0"
}
