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
  return {reinterpret_cast<const char*>(raw), size};
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

}  // namespace

std::string sha1(std::string_view bytes) { return hexadecimal(digest(EVP_sha1(), bytes)); }
std::string md5(std::string_view bytes) { return hexadecimal(digest(EVP_md5(), bytes)); }

std::string sha256_base64(std::string_view bytes) {
  const std::string raw = digest(EVP_sha256(), bytes);
  unsigned char text[64];  // 44 and a NUL byte
  const int size =
      EVP_EncodeBlock(text, reinterpret_cast<const unsigned char*>(raw.data()), static_cast<int>(raw.size()));
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

}  // namespace walrelay::sinks
