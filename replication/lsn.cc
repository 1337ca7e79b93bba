// Reading and printing WAL positions in PostgreSQL's own notation.
#include "replication/lsn.h"

#include <array>
#include <charconv>

namespace walrelay::replication {
namespace {

// At most eight hexadecimal digits, as pg_lsn's input accepts them: no sign, no 0x, no white space.
std::optional<std::uint32_t> parse_half(std::string_view digits) {
  if (digits.empty() || digits.size() > 8) return std::nullopt;
  std::uint32_t half = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), half, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return half;
}

}  // namespace

std::string to_string(Lsn lsn) {
  std::array<char, 17> buffer{};
  char* const end = buffer.data() + buffer.size();
  char* at = std::to_chars(buffer.data(), end, static_cast<std::uint32_t>(value(lsn) >> 32), 16).ptr;
  *at++ = '/';
  at = std::to_chars(at, end, static_cast<std::uint32_t>(value(lsn)), 16).ptr;
  for (char* c = buffer.data(); c != at; ++c) {
    if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
  }
  return {buffer.data(), at};
}

std::optional<Lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_half(text.substr(0, slash));
  const auto low = parse_half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return Lsn{(std::uint64_t{*high} << 32) | *low};
}

}  // namespace walrelay::replication
