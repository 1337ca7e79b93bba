// What OpenSSL needs for one connection to Redis. The files are read anew at every connect, because certificates
// rotate.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "sinks/redis_connection.h"

namespace walrelay::sinks {

struct FreeSsl {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

// TLS 1.2 or newer, the server's name or address checked unless the options say otherwise.
// Throws RedisError with code TLS, whose message names the file that cannot be used.
SslPtr make_ssl(const RedisOptions& options);

// Why the last operation on `ssl` failed, in words; empties the thread's error queue.
std::string tls_failure(const SSL* ssl);

}  // namespace walrelay::sinks
