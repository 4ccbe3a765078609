/// RSA private keys that are made, written and read as PKCS #8 (RFC 5958).
#ifndef COPENSSL_PKCS8_H
#define COPENSSL_PKCS8_H
#include "shim.h"

static inline EVP_PKEY *copenssl_generate_rsa(size_t bits) { return EVP_RSA_gen(bits); }

/// The DER form, to be given back to `copenssl_free_secret`; NULL on failure.
static inline uint8_t *copenssl_write_pkcs8(const EVP_PKEY *key, size_t *count) {
  PKCS8_PRIV_KEY_INFO *document = EVP_PKEY2PKCS8(key);
  if (document == NULL) return NULL;
  uint8_t *bytes = NULL;
  int length = i2d_PKCS8_PRIV_KEY_INFO(document, &bytes);
  PKCS8_PRIV_KEY_INFO_free(document);
  if (length <= 0) return NULL;
  *count = (size_t)length;
  return bytes;
}

static inline void copenssl_free_secret(uint8_t *bytes, size_t count) { OPENSSL_clear_free(bytes, count); }

/// NULL unless the bytes are one private key and nothing else.
static inline EVP_PKEY *copenssl_read_pkcs8(const uint8_t *bytes, size_t count) {
  const uint8_t *rest = bytes;
  PKCS8_PRIV_KEY_INFO *document = d2i_PKCS8_PRIV_KEY_INFO(NULL, &rest, (long)count);
  EVP_PKEY *key = document != NULL && rest == bytes + count ? EVP_PKCS82PKEY(document) : NULL;
  PKCS8_PRIV_KEY_INFO_free(document);
  return key;
}
#endif
