/// OpenSSL 3 as Swift sees it, and static-inline shims for what its macros hide.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
/* The block functions of SHA-2 are marked deprecated in favour of EVP, which costs four times as much for the forty
 * bytes of an API key. They run the same assembly. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

/// Defines NAME, one SHA-2 digest of `count` bytes, and HMAC_NAME, the HMAC (RFC 2104) under a key of any length. Both
/// leave nothing of their input on the stack.
#define COPENSSL_SHA2(NAME, HMAC_NAME, CTX, INIT, UPDATE, FINAL, BLOCK, SIZE)                                          \
  static inline void NAME(const uint8_t *bytes, size_t count, uint8_t *digest) {                                      \
    CTX context;                                                                                                       \
    INIT(&context);                                                                                                    \
    UPDATE(&context, bytes, count);                                                                                    \
    FINAL(digest, &context);                                                                                           \
    OPENSSL_cleanse(&context, sizeof context);                                                                         \
  }                                                                                                                    \
  static inline void HMAC_NAME(const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count,              \
                               uint8_t *code) {                                                                        \
    uint8_t pad[BLOCK] = {0};                                                                                          \
    CTX context;                                                                                                       \
    if (key_count > BLOCK) NAME(key, key_count, pad);                                                                  \
    else if (key_count > 0) memcpy(pad, key, key_count);                                                               \
    for (size_t index = 0; index < BLOCK; index++) pad[index] ^= 0x36;                                                 \
    INIT(&context);                                                                                                    \
    UPDATE(&context, pad, BLOCK);                                                                                      \
    UPDATE(&context, bytes, count);                                                                                    \
    FINAL(code, &context);                                                                                             \
    for (size_t index = 0; index < BLOCK; index++) pad[index] ^= 0x36 ^ 0x5c;                                          \
    INIT(&context);                                                                                                    \
    UPDATE(&context, pad, BLOCK);                                                                                      \
    UPDATE(&context, code, SIZE);                                                                                      \
    FINAL(code, &context);                                                                                             \
    OPENSSL_cleanse(&context, sizeof context);                                                                         \
    OPENSSL_cleanse(pad, sizeof pad);                                                                                  \
  }

COPENSSL_SHA2(copenssl_sha256, copenssl_hmac_sha256, SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, 64, 32)
COPENSSL_SHA2(copenssl_sha384, copenssl_hmac_sha384, SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final, 128, 48)
COPENSSL_SHA2(copenssl_sha512, copenssl_hmac_sha512, SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, 128, 64)
#undef COPENSSL_SHA2

/// The SHA-1 digest of `count` bytes, 20 bytes.
static inline void copenssl_sha1(const unsigned char *bytes, size_t count, unsigned char *digest) {
  SHA1(bytes, count, digest);
}

/// EVP_PKEY_PUBLIC_KEY, a macro the importer cannot read.
static const int copenssl_public_key_selection = EVP_PKEY_PUBLIC_KEY;

/* A builder keeps the names of parameters by address, so they have to be literals of C. */

static inline int copenssl_push_rsa(OSSL_PARAM_BLD *builder, const BIGNUM *modulus, const BIGNUM *exponent) {
  return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
         OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1;
}

static inline int copenssl_push_point(OSSL_PARAM_BLD *builder, const char *curve, const uint8_t *point, size_t count) {
  return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
         OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, count) == 1;
}

static inline int copenssl_set_rsa_padding(EVP_PKEY_CTX *context, int padding) {
  return EVP_PKEY_CTX_set_rsa_padding(context, padding);
}

/// Answers every request for a passphrase with a failure, so that an encrypted PEM never asks on the terminal.
static inline int copenssl_no_passphrase(char *buffer, int size, int writing, void *context) {
  (void)buffer, (void)size, (void)writing, (void)context;
  return -1;
}

/// Reads the first public key of a PEM text; NULL when there is none.
static inline EVP_PKEY *copenssl_pem_public_key(const uint8_t *text, int count) {
  BIO *source = BIO_new_mem_buf(text, count);
  if (source == NULL) return NULL;
  EVP_PKEY *key = PEM_read_bio_PUBKEY(source, NULL, copenssl_no_passphrase, NULL);
  BIO_free(source);
  return key;
}
#endif
