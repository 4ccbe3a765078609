import COpenSSL

/// An SSL_SESSION that a client may resume. OpenSSL counts its references and locks what it changes in it.
@safe final class TLSSession: @unchecked Sendable {
    /// Owned; released with the object.
    let pointer: OpaquePointer

    /// Takes ownership of one reference.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe SSL_SESSION_free(pointer)
    }

    /// TLS 1.3 asks to use a ticket once (RFC 8446 §C.4), and OpenSSL sees to it.
    var isForOneUse: Bool { unsafe SSL_SESSION_get_protocol_version(pointer) == TLS1_3_VERSION }

    /// False when it has been used up, or a connection of it has failed since.
    var isResumable: Bool { unsafe SSL_SESSION_is_resumable(pointer) == 1 }
}
