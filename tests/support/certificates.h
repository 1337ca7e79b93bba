// A throw-away authority and what it signs, for tests of TLS.
//
//   Authority authority("test authority");
//   authority.write(folder + "/ca.crt");
//   authority.issue("server", {"DNS:redis.test", "IP:127.0.0.1"}, folder + "/server");   // server.crt, server.key
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace walrelay::support {

class Authority {
 public:
  explicit Authority(const std::string& name);
  void write(const std::string& file) const;
  // Valid from yesterday to tomorrow.
  void issue(const std::string& name, const std::vector<std::string>& alternative_names, const std::string& path) const;

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace walrelay::support
