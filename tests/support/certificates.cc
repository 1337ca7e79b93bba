#include "tests/support/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace walrelay::support {
namespace {

constexpr long kDay = 24L * 60 * 60;

void require(bool held, const char* what) {
  if (!held) throw std::runtime_error(std::string("certificates: ") + what);
}

// With the subject's name and key; the caller says who signs.
X509* make_certificate(const std::string& name, EVP_PKEY* key, long serial) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kDay);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

void extend(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  require(extension != nullptr, "an extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

template <class Write>
void to_file(const std::string& file, const Write& write) {
  std::FILE* out = std::fopen(file.c_str(), "w");
  require(out != nullptr, "a file");
  const bool written = write(out) == 1;
  std::fclose(out);
  require(written, "writing");
}

}  // namespace

Authority::Authority(const std::string& name)
    : key_(EVP_EC_gen("P-256")), certificate_(make_certificate(name, key_.get(), 1)) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "signing");
}

void Authority::write(const std::string& file) const {
  to_file(file, [this](std::FILE* out) { return PEM_write_X509(out, certificate_.get()); });
}

void Authority::issue(const std::string& name, const std::vector<std::string>& alternative_names,
                      const std::string& path) const {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Free> certificate(make_certificate(name, key.get(), 2));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  std::string names;
  for (const std::string& one : alternative_names) names += (names.empty() ? "" : ",") + one;
  if (!names.empty()) extend(certificate.get(), NID_subject_alt_name, names);
  require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "signing");
  to_file(path + ".crt", [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()); });
  to_file(path + ".key",
          [&](std::FILE* out) { return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

}  // namespace walrelay::support
