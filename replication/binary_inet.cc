// Network addresses: inet leaves out the length of a network that is one host, cidr always prints it.
//
//   family:1 (2 IPv4, 3 IPv6)  prefix length:1  is_cidr:1  count:1 (4 or 16)  address:count
#include <array>
#include <charconv>
#include <cstdint>

#include "replication/binary_codec.h"
#include "replication/reader.h"

namespace walrelay::replication::binary {
namespace {

constexpr std::uint8_t kFamily4 = 2;
constexpr std::uint8_t kFamily6 = 3;

void append_number(unsigned number, int base, std::string& out) {
  std::array<char, 8> buffer;
  out.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, base).ptr);
}

void append_address4(Reader& in, std::string& out) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out.push_back('.');
    append_number(in.u8(), 10, out);
  }
}

using Words = std::array<std::uint16_t, 8>;

struct Run {
  std::size_t start = 0, length = 0;
  [[nodiscard]] std::size_t end() const { return start + length; }
};

// The longest run of zero words, the first of equals; one word alone is not worth a "::".
Run longest_zeros(const Words& words) {
  Run best;
  Run current;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != 0) {
      current = {i + 1, 0};
    } else if (++current.length > best.length) {
      best = current;
    }
  }
  return best.length >= 2 ? best : Run{};
}

// ::a.b.c.d and ::ffff:a.b.c.d are printed with an IPv4 address at the end, though ::1 and ::2 are not.
bool holds_address4(const Words& words, const Run& zeros) {
  if (zeros.start != 0) return false;
  return zeros.length == 6 || (zeros.length == 5 && words[5] == 0xFFFF);
}

void append_address6(std::string_view address, std::string& out) {
  Reader in(address, "binary inet");
  Words words;
  for (auto& word : words) word = in.u16();
  const auto zeros = longest_zeros(words);
  const bool with_address4 = holds_address4(words, zeros);
  const std::size_t end = with_address4 ? 6 : words.size();
  for (std::size_t i = 0; i < end; ++i) {
    if (zeros.length > 0 && i >= zeros.start && i < zeros.end()) {
      if (i == zeros.start) out.push_back(':');
      continue;
    }
    if (i > 0) out.push_back(':');
    append_number(words[i], 16, out);
  }
  if (with_address4) {
    out.push_back(':');
    Reader tail(address.substr(12), "binary inet");
    append_address4(tail, out);
  } else if (zeros.length > 0 && zeros.end() == words.size()) {
    out.push_back(':');
  }
}

}  // namespace

void append_inet(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary inet");
  const auto family = in.u8();
  const unsigned prefix = in.u8();
  const bool is_cidr = in.u8() != 0;
  const std::size_t count = in.u8();
  if (family != kFamily4 && family != kFamily6) in.fail("has an unknown address family");
  if (count != (family == kFamily4 ? 4U : 16U)) in.fail("has an address of a wrong length");
  if (prefix > 8 * count) in.fail("has an impossible network length");
  const auto address = in.bytes(count);
  in.expect_end();
  if (family == kFamily4) {
    Reader tail(address, "binary inet");
    append_address4(tail, out);
  } else {
    append_address6(address, out);
  }
  if (is_cidr || prefix < 8 * count) {
    out.push_back('/');
    append_number(prefix, 10, out);
  }
}

}  // namespace walrelay::replication::binary
