private import Glibc

/// What a process has to have settled before it does anything else.
enum ProcessStart {
    /// How signals are handled.
    struct Dispositions {
        fileprivate typealias Action = @convention(c) (Int32) -> Void

        fileprivate var hangUp: Action?
        fileprivate var brokenPipe: Action?
    }

    /// Ignores SIGHUP, whose default is the end of the process, until the gateway handles it; and SIGPIPE, which a closed standard
    /// error would raise. Opens descriptors 0 to 2 where they are closed: otherwise a client's socket became one of them, and log
    /// lines were sent to it.
    /// - Returns: how the signals were handled before.
    static func settle() -> Dispositions {
        let before = Dispositions(hangUp: signal(SIGHUP, SIG_IGN), brokenPipe: signal(SIGPIPE, SIG_IGN))
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest that is free, so this one.
            _ = unsafe open("/dev/null", O_RDWR)
        }
        return before
    }

    /// Handles the signals as before, for commands that end by themselves.
    static func restore(_ before: Dispositions) {
        _ = signal(SIGHUP, before.hangUp)
        _ = signal(SIGPIPE, before.brokenPipe)
    }
}
