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

    /// False when a connection of it has failed since.
    var isResumable: Bool { unsafe SSL_SESSION_is_resumable(pointer) == 1 }
}
