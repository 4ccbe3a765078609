/// Every bound an operator can set, its unit in its name. The bounds nobody can set stand below in `FixedBounds`.
package struct Bounds: Sendable, Equatable {
    /// Request line and fields together; above it 431 (414 when the target alone is too long).
    package var headByteLimit = 32_768
    package var targetByteLimit = 16_384
    package var fieldCountLimit = 100
    /// Content of a request; above it 413. Routes may say otherwise.
    package var bodyByteLimit: UInt64 = .max
    /// Client connections of the whole process; above it a new one is closed at once.
    package var connectionLimit = 100_000
    /// Client connections of one address (IPv6: /64).
    package var connectionLimitPerAddress = 10_000
    /// From the first byte of a head (or the connection's start) to its last; then 408.
    package var headTimeout: Nanoseconds = .seconds(10)
    /// Between requests on a kept connection.
    package var idleTimeout: Nanoseconds = .seconds(60)
    /// Without a byte of a request body, or without the client taking a byte of a response.
    package var bodyTimeout: Nanoseconds = .seconds(30)
    /// A client that closed its sending side is answered if the answer begins within this time; over a connection in plaintext an
    /// answer that has begun may then be silent for as long.
    package var halfCloseTimeout: Nanoseconds = .seconds(3)
    /// Content that is not wanted any more, behind an early answer, is read and dropped for at most this time.
    package var lingerTimeout: Nanoseconds = .seconds(30)
    /// From SIGTERM to the closing of the listeners: how long load balancers have to notice.
    package var drainDelay: Nanoseconds = 0
    /// From the closing of the listeners to the end of the process, at most.
    package var drainTimeout: Nanoseconds = .seconds(30)
    /// What all loops hold for messages under way; nil for a quarter of the memory that the process may use.
    package var bufferedByteLimit: Int?
    /// Live buckets of all limits together.
    package var bucketLimit = 1_000_000
    package var http2 = HTTP2()

    package init() {}
}

extension Bounds {
    /// What a client may do on a connection of HTTP/2 (RFC 9113). Head bounds and timeouts are those of HTTP/1.1.
    package struct HTTP2: Sendable, Equatable {
        /// Requests under way on one connection (SETTINGS_MAX_CONCURRENT_STREAMS); a stream above it is refused.
        package var streamLimit = 128
        /// Content of one request that may be on its way to us unread.
        package var streamWindowBytes = 262_144
        /// The same of all requests of a connection; at least the window of a stream.
        package var connectionWindowBytes = 1_048_576
        /// The table of header compression (RFC 7541 §4.2), each way.
        package var headerTableBytes = 4096
        /// Content of answers held for all streams of a connection; at least `leastQueuedBytes` for each of them.
        package var queuedBytes = 1_048_576

        /// The least that `queuedBytes` has for a stream, and what it has by default.
        package static let leastQueuedBytes = 2048
        package static let usualQueuedBytes = 8192

        package init() {}
    }
}

/// Bounds that are part of the program.
package enum FixedBounds {
    /// Bytes of an API key; a longer one is unknown without being hashed.
    package static let apiKeyBytes = 1024
    /// Bytes one read takes from a socket at most.
    package static let readBytes = 65_536
    /// Bytes waiting to be written to one peer; above this its counterpart is not read.
    package static let pendingOutputBytes = 131_072
    /// What a message may always go on with, however scarce memory is: a piece of content that is passed on at once.
    package static let pieceBytes = 4096
    /// What a request under way counts for beside its head and what is queued: its objects, and the first piece of its answer.
    package static let exchangeBytes = 4096
    /// What OpenSSL keeps of a record that is not written, or not read, to its end.
    package static let recordBytes = 17_408
    /// Content of requests that a connection of HTTP/2 may bring on while memory is scarce and its upstreams take none.
    package static let scarceContentBytes = 65_536
    /// What clients are asked to wait (Retry-After) while memory is scarce.
    package static let scarceRetry: Nanoseconds = .seconds(1)
    /// The window of an upstream's stream once its answer is known to be long; it grows further with what the client takes.
    package static let longAnswerWindowBytes = 65_536
    /// A client that takes a whole window in less time gets a larger one.
    package static let quickWindow: Nanoseconds = .milliseconds(250)
    /// Response head of an upstream; above it 502.
    package static let responseHeadBytes = 65_536
    package static let responseFieldCount = 200
    /// 1xx answers before the final one; above it 502.
    package static let interimAnswers = 32
    /// One line of a chunk's size and extensions.
    package static let chunkLineBytes = 4096
    /// Bytes of chunk size lines that a body may carry beyond what its content excuses.
    package static let chunkOverheadBytes = 16_384
    /// The trailer section of a chunked body.
    package static let trailerBytes = 8192
    /// Empty lines before a request line (RFC 9112 §2.2 asks for at least one).
    package static let leadingEmptyLines = 4
    /// Options that the Connection fields of one head may name (each is compared with each field).
    package static let connectionOptions = 64
    /// A method; a longer one is answered 501 (RFC 9112 §3).
    package static let methodBytes = 32
    /// A PROXY protocol version 2 header with its addresses and TLVs. Version 1 says 107 itself.
    package static let proxyHeaderBytes = 4096
    /// A JSON document's nesting, for claims and for the policy file.
    package static let jsonDepth = 64
    /// A key set document, and the keys in it.
    package static let keySetBytes = 1_048_576
    package static let keySetKeys = 100
    /// Key sets being fetched at one time; others wait their turn, those that failed least often first.
    package static let keySetFetches = 64
    /// Requests of one loop that wait for a key set to be fetched; more are refused.
    package static let waitingRequests = 1024
    /// Requests of one loop whose action is being carried out; more are refused.
    package static let actionsUnderWay = 1024
    /// Hashes of passwords and new keys of one caller that are made at one time, and those that wait; more are refused.
    package static let costlyWorkPerCaller = 2
    package static let costlyWorkWaitingPerCaller = 32
    /// Those of all callers together that wait; more are refused.
    package static let costlyWorkWaiting = 256
    /// Changes of the store, and readings of it, that one caller may have waiting; more are refused.
    package static let storeChangesPerCaller = 512
    package static let storeReadingsPerCaller = 64
    /// Content of a request to an action; more is refused, whatever a route allows.
    package static let actionContentBytes: UInt64 = 65_536
    /// Stored credentials in memory, and what they may take of it, roughly; above either those that were not asked for in a
    /// long time are forgotten.
    package static let storedCredentials = 131_072
    package static let storedCredentialBytes = 67_108_864
    /// Stored credentials in the store; above it those whose keys ended first are removed.
    package static let keptCredentials = 262_144
    /// How often the names of upstream servers are resolved anew.
    package static let nameRefresh: Nanoseconds = .seconds(30)
    /// How often a name is looked up that has no address yet.
    package static let unresolvedNameRetry: Nanoseconds = .seconds(1)
    /// How long a policy waits for names that were not looked up before: at the start, at a reload, and where it is only checked.
    package static let nameWaitAtStart: Nanoseconds = .seconds(2)
    package static let nameWaitAtReload: Nanoseconds = .milliseconds(250)
    package static let nameWaitToCheck: Nanoseconds = .seconds(15)
    /// How long such a request waits at most.
    package static let waitTimeout: Nanoseconds = .seconds(5)
    /// Verified tokens and refused tokens a loop remembers.
    package static let tokenCacheEntries = 8192
    package static let refusedTokenCacheEntries = 4096
    /// Callers a loop remembers, with the lines that name them, and clients whose forwarding fields it remembers. Powers of
    /// two.
    package static let callerCacheEntries = 2048
    package static let originCacheEntries = 1024
    /// Verdicts on client certificates a loop remembers. A power of two.
    package static let certificateCacheEntries = 512
    /// How long a client that is told to go may take to close its connection, and the end of a tunnel to be taken.
    package static let lingerTimeout: Nanoseconds = .seconds(2)
    /// After this long without a word of the upstream a client that waits for 100 is asked for its content.
    package static let continueDelay: Nanoseconds = .seconds(1)
    /// How long a client whose content is dropped may be silent.
    package static let lingerSilence: Nanoseconds = .seconds(5)
    /// An answer over HTTP/2 that is whole before its request is: until its stream is reset, content is dropped, so much and for so
    /// long at most. Clients see the answer in that time.
    package static let earlyAnswerBytes = 33_554_432
    package static let earlyAnswerTimeout: Nanoseconds = .seconds(2)
    /// Between the last of an answer that is cut, over HTTP/2, and the reset of its stream.
    package static let cutDelay: Nanoseconds = .milliseconds(100)
    /// How often a connection that ends with a reset is asked whether the client has what was written.
    package static let resetInterval: Nanoseconds = .milliseconds(10)
    /// How often a tunnel whose credential has no nearer end is asked about, whatever else calls for it.
    package static let tunnelReviewInterval: Nanoseconds = .seconds(30)
    /// How often, and for how long at most, while nobody can say because the keys cannot be had.
    package static let tunnelDoubtInterval: Nanoseconds = .seconds(1)
    package static let tunnelDoubt: Nanoseconds = .seconds(60)
    /// How long the end of a tunnel waits for the end of a frame.
    package static let tunnelBoundaryTimeout: Nanoseconds = .seconds(1)
    /// How long the peers of a WebSocket that ends have to say goodbye.
    package static let tunnelGoodbyeTimeout: Nanoseconds = .seconds(5)
    /// A PEM text: keys, certificates, authorities.
    package static let pemBytes = 1_048_576
    /// A certificate and its intermediates, those of a peer as well: a chain with more certificates is not believed.
    package static let certificateChain = 10
    /// Certificates of authorities in one text.
    package static let trustAnchors = 1000
    /// The certificates a peer may send, in its one message; a longer one ends the handshake.
    package static let peerCertificateBytes = 65_536
    /// Names for which one client context keeps sessions to resume, and sessions of a name; above them old ones go.
    package static let resumableNames = 1024
    package static let resumableSessions = 8
    /// Access records of one loop waiting to be written; more are dropped and counted.
    package static let accessLogBytes = 8_388_608
    /// The gateway's own messages waiting to be written; more are dropped and counted.
    package static let messageBytes = 1_048_576
    /// Access records kept after they were written, for `explain --request-id`; the oldest go first.
    package static let recentRecordBytes = 4_194_304
    /// Connections of the admin listener and, counted by themselves, of the listener for probes; and those of one address.
    package static let operatorConnections = 256
    package static let operatorConnectionsPerAddress = 64
    /// Peers whose connections that ended before a request are told apart in the log within ten seconds.
    package static let rejectionPeers = 64
    /// Descriptors that clients of traffic listeners leave for the operator and for upstreams.
    package static let reservedDescriptors = 64
    /// Wrong admin tokens of one address that are remembered, so that one that is shown again counts once.
    package static let wrongAdminTokens = 256
    /// A request given to the admin listener to be explained; a larger one is refused.
    package static let explainBytes: UInt64 = 262_144
}
