import COpenSSL
import Core

/// An X509. Not changed after it was made, so threads may share it; OpenSSL locks what it computes late.
@safe final class X509Certificate: @unchecked Sendable {
    /// Owned; released with the object.
    let pointer: OpaquePointer

    /// Takes ownership of `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe X509_free(pointer)
    }
}
