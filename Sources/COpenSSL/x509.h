/// What Swift's importer hides of certificates and of PEM texts that hold them.
#ifndef COPENSSL_X509_H
#define COPENSSL_X509_H
#include "shim.h"
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/// The passphrase of a private key, and whether it was asked for.
struct copenssl_passphrase {
  const uint8_t *bytes; /* NULL: there is none */
  size_t count;
  int was_asked;
};

static inline int copenssl_give_passphrase(char *buffer, int size, int writing, void *context) {
  struct copenssl_passphrase *passphrase = context;
  (void)writing;
  passphrase->was_asked = 1;
  if (passphrase->bytes == NULL || size < 0 || passphrase->count > (size_t)size) return -1;
  if (passphrase->count > 0) memcpy(buffer, passphrase->bytes, passphrase->count);
  return (int)passphrase->count;
}

/// Reads the first private key of a PEM text; NULL when there is none that can be read.
static inline EVP_PKEY *copenssl_pem_private_key(const uint8_t *text, int count, struct copenssl_passphrase *passphrase) {
  BIO *source = BIO_new_mem_buf(text, count);
  if (source == NULL) return NULL;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(source, NULL, copenssl_give_passphrase, passphrase);
  BIO_free(source);
  return key;
}

/// Reads the next certificate of a PEM text; NULL when there is none or it cannot be read, with `is_end` saying which.
static inline X509 *copenssl_next_certificate(BIO *source, int *is_end) {
  ERR_clear_error();
  X509 *certificate = PEM_read_bio_X509(source, NULL, copenssl_no_passphrase, NULL);
  unsigned long error = ERR_peek_last_error();
  *is_end = certificate == NULL && ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return certificate;
}

/// False when the time is none that ASN.1 knows.
static inline int copenssl_seconds_since_1970(const ASN1_TIME *time, int64_t *seconds) {
  ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
  int days = 0, rest = 0;
  int is_good = epoch != NULL && time != NULL && ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
  ASN1_TIME_free(epoch);
  *seconds = (int64_t)days * 86400 + rest;
  return is_good;
}

/// Prints a distinguished name as RFC 4514 writes it, in UTF-8.
static inline int copenssl_print_name(BIO *target, const X509_NAME *name) {
  return X509_NAME_print_ex(target, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0;
}

static inline long copenssl_memory_bytes(BIO *memory, const uint8_t **bytes) {
  return BIO_get_mem_data(memory, (char **)bytes);
}

/// Calls `each` with the subject alternative names that are text or an address; `type` is GEN_DNS, GEN_URI, GEN_EMAIL or
/// GEN_IPADD.
static inline void copenssl_each_alternative_name(const X509 *certificate, void *context,
                                                  void (*each)(void *context, int type, const uint8_t *bytes,
                                                               size_t count)) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  for (int index = 0; names != NULL && index < sk_GENERAL_NAME_num(names); index++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    const ASN1_STRING *value = NULL;
    if (name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL) value = name->d.ia5;
    else if (name->type == GEN_IPADD) value = name->d.iPAddress;
    if (value != NULL) each(context, name->type, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
  }
  GENERAL_NAMES_free(names);
}

/// Makes `store` take every certificate in it for an anchor, also one that another issued.
static inline void copenssl_trust_all_of(X509_STORE *store) { X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN); }

static inline STACK_OF(X509) *copenssl_new_chain(void) { return sk_X509_new_null(); }
/* The stack does not own what is pushed. */
static inline int copenssl_push(STACK_OF(X509) *chain, X509 *certificate) { return sk_X509_push(chain, certificate) > 0; }
static inline void copenssl_free_chain(STACK_OF(X509) *chain) { sk_X509_free(chain); }

/// What an OCSP response (RFC 6960) says of one certificate.
enum copenssl_ocsp { copenssl_ocsp_good, copenssl_ocsp_malformed, copenssl_ocsp_unsuccessful, copenssl_ocsp_other,
                     copenssl_ocsp_revoked };

/// `issuer` may be NULL; then the serial number alone has to agree. `next_update` is INT64_MAX when there is none.
static inline enum copenssl_ocsp copenssl_read_ocsp(const uint8_t *bytes, long count, X509 *certificate, X509 *issuer,
                                                    int64_t *next_update) {
  const uint8_t *start = bytes;
  OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &bytes, count);
  OCSP_BASICRESP *basic = NULL;
  enum copenssl_ocsp answer = copenssl_ocsp_malformed;
  *next_update = INT64_MAX;
  if (response == NULL || bytes != start + count) goto end;
  answer = copenssl_ocsp_unsuccessful;
  if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL) goto end;
  answer = copenssl_ocsp_malformed;
  basic = OCSP_response_get1_basic(response);
  if (basic == NULL) goto end;
  answer = copenssl_ocsp_other;
  for (int index = 0; index < OCSP_resp_count(basic); index++) {
    OCSP_SINGLERESP *single = OCSP_resp_get0(basic, index);
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    ASN1_INTEGER *serial = NULL;
    ASN1_OBJECT *algorithm = NULL;
    OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, (OCSP_CERTID *)id);
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0) continue;
    if (issuer != NULL) {
      OCSP_CERTID *expected = OCSP_cert_to_id(EVP_get_digestbyobj(algorithm), certificate, issuer);
      int agrees = expected != NULL && OCSP_id_cmp(expected, (OCSP_CERTID *)id) == 0;
      OCSP_CERTID_free(expected);
      if (!agrees) continue;
    }
    ASN1_GENERALIZEDTIME *next = NULL;
    int status = OCSP_single_get0_status(single, NULL, NULL, NULL, &next);
    answer = status == V_OCSP_CERTSTATUS_GOOD ? copenssl_ocsp_good : copenssl_ocsp_revoked;
    if (next != NULL && !copenssl_seconds_since_1970(next, next_update)) answer = copenssl_ocsp_malformed;
    break;
  }
end:
  OCSP_BASICRESP_free(basic);
  OCSP_RESPONSE_free(response);
  ERR_clear_error();
  return answer;
}
#endif
