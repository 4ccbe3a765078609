import Core
import HTTP1
import IO

/// Why a key set could not be fetched.
enum FetchFault: Error, Equatable, Sendable {
    case addressInvalid
    /// TLS failed, and how: most often the server is not whom it was taken for.
    case insecure(String)
    case nameUnresolved(String)
    /// The error of the last address tried.
    case unreachable(SystemError)
    case timedOut
    /// The connection ended before the document did.
    case cutShort
    case headMalformed(ResponseFault)
    case chunksMalformed(FramingFault)
    /// Anything but 200; redirects are not followed.
    case status(Int)
    case tooLarge(byteLimit: Int)
    /// The document came, but is no key set.
    case rejected(String)

    /// True when trying again cannot help before the policy says otherwise.
    var isPermanent: Bool {
        switch self {
        case .addressInvalid: true
        case .nameUnresolved, .unreachable, .insecure, .timedOut, .cutShort, .headMalformed, .chunksMalformed, .status, .tooLarge,
            .rejected:
            false
        }
    }

    /// One line for an operator.
    var message: String {
        switch self {
        case .addressInvalid: "not an http or https URL"
        case .insecure(let reason): "TLS: \(reason)"
        case .nameUnresolved(let reason): reason
        case .unreachable(let error): error.description
        case .timedOut: "no whole answer in time"
        case .cutShort: "the connection ended before the document did"
        case .headMalformed(let fault): "the answer is not valid HTTP: \(fault.reason)"
        case .chunksMalformed(let fault): "the answer is not valid HTTP: \(fault.reason)"
        case .status(let status) where 300...399 ~= status: "status \(status); redirects are not followed"
        case .status(let status): "status \(status)"
        case .tooLarge(let byteLimit): "larger than \(byteLimit) bytes"
        case .rejected(let reason): reason
        }
    }
}
