import COpenSSL
import Core

/// An EVP_PKEY that holds a public key. Not changed after it was made, so threads may share it.
@safe final class PublicKey: @unchecked Sendable {
    /// Owned; freed with the object.
    let pointer: OpaquePointer

    /// Takes ownership of `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// Makes a key of `type` ("RSA", "EC") from what `describe` puts into the builder; it answers false on failure.
    init(type: StaticString, _ describe: (OpaquePointer) -> Bool) throws(KeyMaterialError) {
        ERR_clear_error()
        guard let builder = unsafe OSSL_PARAM_BLD_new() else { throw .malformed }
        defer { unsafe OSSL_PARAM_BLD_free(builder) }
        guard unsafe describe(builder), let parameters = unsafe OSSL_PARAM_BLD_to_param(builder) else {
            throw .malformed
        }
        defer { unsafe OSSL_PARAM_free(parameters) }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type.cString, nil) else { throw .malformed }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &key, copenssl_public_key_selection, parameters) == 1,
            let key = unsafe key
        else {
            ERR_clear_error()
            throw .malformed
        }
        unsafe pointer = key
    }

    /// OpenSSL's own check of a public key: for curves, that the point is on the curve and not at infinity.
    var passesPublicCheck: Bool {
        ERR_clear_error()
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else { return false }
        defer {
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        return unsafe EVP_PKEY_public_check(context) == 1
    }
}

extension StaticString {
    /// The literal's bytes, which end in a zero.
    var cString: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
