/// What Swift's importer hides of libssl: macros, and calls whose error has to be read before anything else runs.
#ifndef COPENSSL_TLS_H
#define COPENSSL_TLS_H
#include "shim.h"
#include <errno.h>
#include <openssl/ssl.h>

/* Contexts */

/// Sets what every connection has, whoever began it. The order of the lists is the order of preference.
///
/// An end of the stream without close_notify is not an error of OpenSSL's, since that would end the writing side too;
/// `copenssl_saw_end_of_socket` tells it from a proper one.
static inline int copenssl_configure(SSL_CTX *context, int lowest_version, int kernel_tls) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   (kernel_tls ? SSL_OP_ENABLE_KTLS : 0));
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS |
                       SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_security_level(context, 2);
  return SSL_CTX_set_min_proto_version(context, lowest_version) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_ciphersuites(
             context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                          "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                          "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
         SSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:"
                                            "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
                                            "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
                                            "RSA+SHA256:RSA+SHA384:RSA+SHA512") == 1;
}

/// Bytes of the certificates a peer may send.
static inline void copenssl_limit_peer_certificates(SSL_CTX *context, long bytes) {
  SSL_CTX_set_max_cert_list(context, bytes);
}

static inline void copenssl_refuse_resumption(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

/// Sessions of clients reach `callback` and are not kept by OpenSSL.
static inline void copenssl_on_new_session(SSL_CTX *context, int (*callback)(SSL *, SSL_SESSION *)) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, callback);
}

static inline void copenssl_on_server_name(SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument) {
  SSL_CTX_set_tlsext_servername_callback(context, callback);
  SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline void copenssl_on_status_request(SSL_CTX *context, int (*callback)(SSL *, void *), void *argument) {
  SSL_CTX_set_tlsext_status_cb(context, callback);
  SSL_CTX_set_tlsext_status_arg(context, argument);
}

/// Staples a copy of `bytes`.
static inline int copenssl_staple(SSL *ssl, const uint8_t *bytes, size_t count) {
  uint8_t *copy = OPENSSL_memdup(bytes, count);
  if (copy == NULL) return 0;
  if (SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)count) == 1) return 1;
  OPENSSL_free(copy);
  return 0;
}

/* An X509_STORE is shared by contexts: they take a reference each. */
static inline int copenssl_trust(SSL_CTX *context, X509_STORE *store) { return SSL_CTX_set1_verify_cert_store(context, store) == 1; }

/// Keys the cipher (AES-256-CBC) and the code (HMAC-SHA-256) of a session ticket.
static inline int copenssl_key_ticket(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *code, const uint8_t *cipher_key,
                                      const uint8_t *code_key, const uint8_t *iv, int encrypts) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)code_key, 32),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, cipher_key, iv, encrypts) == 1 &&
         EVP_MAC_CTX_set_params(code, parameters) == 1;
}

/* Connections */

/* What the socket of a connection has shown is kept in the argument of the callback that sees it, which is as wide as a
 * pointer: no storage to own, none to outlive. Bits: */
enum {
  copenssl_drained = 1,         /* the last read took all there was */
  copenssl_has_first_byte = 2,  /* the first byte ever read stands in bits 8 to 15 */
  copenssl_end_of_socket = 4,   /* a read said so */
  copenssl_reads_records = 8,   /* the kernel hands out a record a read, however much there is */
};

static inline long copenssl_watch_reads(BIO *socket, int operation, const char *bytes, size_t asked, int argument,
                                        long another, int result, size_t *processed) {
  (void)argument, (void)another;
  if (operation != (BIO_CB_READ | BIO_CB_RETURN)) return result;
  uintptr_t seen = (uintptr_t)BIO_get_callback_arg(socket);
  size_t count = result > 0 && processed != NULL ? *processed : 0;
  if (count > 0 && !(seen & copenssl_has_first_byte))
    seen |= copenssl_has_first_byte | (uintptr_t)(uint8_t)bytes[0] << 8;
  if (count == 0 && !BIO_should_retry(socket) && BIO_eof(socket)) seen |= copenssl_end_of_socket;
  if (count == 0 || (count < asked && !(seen & copenssl_reads_records))) seen |= copenssl_drained;
  else seen &= ~(uintptr_t)copenssl_drained;
  BIO_set_callback_arg(socket, (char *)seen);
  return result;
}

/// Binds a connection to a socket, which it does not own, and watches what reading it shows.
static inline int copenssl_attach(SSL *ssl, int descriptor) {
  if (SSL_set_fd(ssl, descriptor) != 1) return 0;
  BIO_set_callback_ex(SSL_get_rbio(ssl), copenssl_watch_reads);
  return 1;
}

static inline uintptr_t copenssl_seen(const SSL *ssl) { return (uintptr_t)BIO_get_callback_arg(SSL_get_rbio(ssl)); }

static inline int copenssl_saw_end_of_socket(const SSL *ssl) { return (copenssl_seen(ssl) & copenssl_end_of_socket) != 0; }

/// Neither OpenSSL nor the socket has bytes left, as far as reading has shown.
static inline int copenssl_is_drained(const SSL *ssl) {
  return (copenssl_seen(ssl) & copenssl_drained) != 0 && !SSL_has_pending(ssl);
}

/// The first byte the peer ever sent; -1 before it.
static inline int copenssl_first_byte(const SSL *ssl) {
  uintptr_t seen = copenssl_seen(ssl);
  return seen & copenssl_has_first_byte ? (int)(seen >> 8 & 0xFF) : -1;
}

/// To be called when a handshake is over: the kernel may have taken the connection's keys.
static inline void copenssl_note_kernel_tls(SSL *ssl) {
  BIO *socket = SSL_get_rbio(ssl);
  if (BIO_get_ktls_recv(socket)) BIO_set_callback_arg(socket, (char *)(copenssl_seen(ssl) | copenssl_reads_records));
}

static inline int copenssl_kernel_sends(const SSL *ssl) { return BIO_get_ktls_send(SSL_get_wbio(ssl)); }
static inline int copenssl_kernel_receives(const SSL *ssl) { return BIO_get_ktls_recv(SSL_get_rbio(ssl)); }

/// An error as ERR_… functions take it.
static inline unsigned long copenssl_error_code(int library, int reason) { return ERR_PACK(library, 0, reason); }

/// How a call on a connection failed.
struct copenssl_failure {
  int kind;    /* SSL_ERROR_… */
  int library; /* of libssl's oldest error in the queue, or another's; 0 when there is none */
  int reason;
  int system;  /* errno */
};

static inline void copenssl_forget_errors(void) {
  errno = 0;
  /* Looking costs a tenth of clearing. */
  if (ERR_peek_error() != 0) ERR_clear_error();
}

static inline int copenssl_explain(SSL *ssl, int result, struct copenssl_failure *failure) {
  failure->system = errno;
  failure->kind = SSL_get_error(ssl, result);
  unsigned long code = ERR_peek_error();
  /* What libssl says of it tells more than what made it say so. */
  for (unsigned long next; ERR_GET_LIB(code) != ERR_LIB_SSL && (next = ERR_get_error()) != 0;)
    if (ERR_GET_LIB(next) == ERR_LIB_SSL) code = next;
  failure->library = ERR_GET_LIB(code);
  failure->reason = ERR_GET_REASON(code);
  return -1;
}

/// 1 when the handshake is over, -1 with the failure otherwise.
static inline int copenssl_handshake(SSL *ssl, struct copenssl_failure *failure) {
  copenssl_forget_errors();
  int result = SSL_do_handshake(ssl);
  return result == 1 ? 1 : copenssl_explain(ssl, result, failure);
}

/// Bytes read, at least 1; -1 with the failure otherwise.
static inline int copenssl_read(SSL *ssl, void *bytes, int count, struct copenssl_failure *failure) {
  copenssl_forget_errors();
  int result = SSL_read(ssl, bytes, count);
  return result > 0 ? result : copenssl_explain(ssl, result, failure);
}

/// Bytes taken, at least 1; -1 with the failure otherwise.
static inline int copenssl_write(SSL *ssl, const void *bytes, int count, struct copenssl_failure *failure) {
  copenssl_forget_errors();
  int result = SSL_write(ssl, bytes, count);
  return result > 0 ? result : copenssl_explain(ssl, result, failure);
}

/// 1 when close_notify is with the kernel, -1 with the failure otherwise.
static inline int copenssl_shutdown(SSL *ssl, struct copenssl_failure *failure) {
  copenssl_forget_errors();
  int result = SSL_shutdown(ssl);
  return result >= 0 ? 1 : copenssl_explain(ssl, result, failure);
}

/// The name goes into the ClientHello (RFC 6066 §3).
static inline int copenssl_offer_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name) == 1; }

/// Asks the server for a stapled OCSP response (RFC 6066 §8).
static inline void copenssl_request_status(SSL *ssl) { SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp); }

/// The stapled response, owned by the connection; its count, or -1 when there is none.
static inline long copenssl_status(SSL *ssl, const uint8_t **bytes) {
  return SSL_get_tlsext_status_ocsp_resp(ssl, bytes);
}
#endif
