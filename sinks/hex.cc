#include "sinks/hex.h"

#include <array>
#include <cstdint>

namespace walrelay::sinks {
namespace {

constexpr std::uint8_t kNoDigit = 16;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoDigit);
  for (std::uint8_t digit = 0; digit < 10; ++digit) table['0' + digit] = digit;
  for (std::uint8_t letter = 0; letter < 6; ++letter) table['a' + letter] = table['A' + letter] = 10 + letter;
  return table;
}();

std::uint8_t digit(char byte) { return kDigits[static_cast<unsigned char>(byte)]; }

}  // namespace

bool append_bytes_of_hex(std::string& out, std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  text.remove_prefix(2);
  const std::size_t kept = out.size();
  out.resize(kept + text.size() / 2);
  char* to = out.data() + kept;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const std::uint8_t high = digit(text[at]), low = digit(text[at + 1]);
    if ((high | low) >= kNoDigit) {
      out.resize(kept);
      return false;
    }
    *to++ = static_cast<char>(high << 4 | low);
  }
  return true;
}

}  // namespace walrelay::sinks
