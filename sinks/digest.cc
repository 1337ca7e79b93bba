#include "sinks/digest.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace walrelay::sinks {
namespace {

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), raw, &size, kind, nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses a digest that is needed for names only; is it in FIPS mode?");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out.push_back(kDigits[raw[i] >> 4]);
    out.push_back(kDigits[raw[i] & 15]);
  }
  return out;
}

}  // namespace

std::string sha1(std::string_view bytes) { return digest(EVP_sha1(), bytes); }
std::string md5(std::string_view bytes) { return digest(EVP_md5(), bytes); }

}  // namespace walrelay::sinks
