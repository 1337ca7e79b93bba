#include "sinks/redis_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

namespace walrelay::sinks {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;

std::string last_reason() {
  const unsigned long error = ERR_peek_last_error();
  std::string reason;
  if (error != 0 && ERR_SYSTEM_ERROR(error)) {
    reason = std::strerror(ERR_GET_REASON(error));
  } else if (const char* text = error == 0 ? nullptr : ERR_reason_error_string(error)) {
    reason = text;
  }
  ERR_clear_error();
  return reason.empty() ? "unknown reason" : reason;
}

// OpenSSL's last error for a missing file is "BIO lib" or "system lib": ask the system first.
std::string file_reason(const std::string& file) {
  std::unique_ptr<FILE, int (*)(FILE*)> probe(std::fopen(file.c_str(), "re"), std::fclose);
  const int code = errno;
  std::string reason = last_reason();
  return probe == nullptr ? std::strerror(code) : reason;
}

[[noreturn]] void refuse_file(const std::string& what, const std::string& file) {
  throw RedisError("TLS", "TLS to Redis: cannot use the " + what + " \"" + file + "\": " + file_reason(file));
}

void load_files(SSL_CTX* context, const RedisOptions& options) {
  if (!options.tls_ca.empty()) {
    if (SSL_CTX_load_verify_locations(context, options.tls_ca.c_str(), nullptr) != 1) {
      refuse_file("CA file", options.tls_ca);
    }
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (!options.tls_certificate.empty() &&
      SSL_CTX_use_certificate_chain_file(context, options.tls_certificate.c_str()) != 1) {
    refuse_file("client certificate", options.tls_certificate);
  }
  if (!options.tls_key.empty() &&
      SSL_CTX_use_PrivateKey_file(context, options.tls_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    refuse_file("client key", options.tls_key);
  }
  if (!options.tls_certificate.empty() && SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    throw RedisError("TLS", "TLS to Redis: the client key \"" + options.tls_key +
                                "\" does not belong to the certificate \"" + options.tls_certificate + "\"");
  }
}

bool is_address(const std::string& name) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 || inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

void expect_name(SSL* ssl, const RedisOptions& options) {
  const std::string& name = options.tls_server_name.empty() ? options.host : options.tls_server_name;
  if (is_address(name)) {  // addresses are not sent as SNI (RFC 6066)
    if (options.tls_verify) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    return;
  }
  SSL_set_tlsext_host_name(ssl, name.c_str());
  if (options.tls_verify) SSL_set1_host(ssl, name.c_str());
}

}  // namespace

SslPtr make_ssl(const RedisOptions& options) {
  ERR_clear_error();
  const ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) throw RedisError("TLS", "TLS to Redis: OpenSSL: " + last_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), options.tls_verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  load_files(context.get(), options);
  SslPtr ssl(SSL_new(context.get()));
  if (ssl == nullptr) throw RedisError("TLS", "TLS to Redis: OpenSSL: " + last_reason());
  expect_name(ssl.get(), options);
  return ssl;
}

std::string tls_failure(const SSL* ssl) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK && SSL_is_init_finished(ssl) == 0) {
    ERR_clear_error();
    return std::string("the server's certificate is not accepted: ") + X509_verify_cert_error_string(verdict);
  }
  const unsigned long error = ERR_peek_last_error();
  if (error == 0) return "the server closed the connection";
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_WRONG_VERSION_NUMBER) {
    ERR_clear_error();
    return "the server does not speak TLS on this port";
  }
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return "the server closed the connection";
  }
  return last_reason();
}

}  // namespace walrelay::sinks
