#include "sinks/json_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace walrelay::sinks {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What a byte needs inside a string: 0 nothing, 1 an escape, 2 a look at what follows (not ASCII).
constexpr std::array<std::uint8_t, 256> kCare = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = 1;
  table['"'] = table['\\'] = 1;
  for (std::size_t byte = 0x80; byte < 256; ++byte) table[byte] = 2;
  return table;
}();

void append_escape(std::string& out, char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::string_view kShort = "\b\f\n\r\t\"\\", kLetters = "bfnrt\"\\";
  out.push_back('\\');
  if (const std::size_t at = kShort.find(byte); at != std::string_view::npos) {
    out.push_back(kLetters[at]);
    return;
  }
  out.append("u00");
  out.push_back(kDigits[static_cast<std::size_t>(byte) >> 4]);
  out.push_back(kDigits[static_cast<std::size_t>(byte) & 15]);
}

struct Sequence {
  std::size_t size;  // bytes to go on by
  bool valid;
};

// The UTF-8 sequence at the start of the text, or the longest part that may begin one (Unicode 3.9, table 3-7).
Sequence utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = at(0);
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {1, false};
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return {i, false};
  }
  return {size, true};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Skips digits; false when there is none.
bool skip_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count > 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t care = kCare[static_cast<unsigned char>(text[i])];
    if (care == 0) {
      ++i;
      continue;
    }
    const Sequence sequence = care == 2 ? utf8_sequence(text.substr(i)) : Sequence{1, false};
    if (!sequence.valid) {
      out.append(text.substr(copied, i - copied));
      if (care == 1) {
        append_escape(out, text[i]);
      } else {
        out.append(kReplacement);
      }
      copied = i + sequence.size;
    }
    i += sequence.size;
  }
  out.append(text.substr(copied));
  out.push_back('"');
}

bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const std::size_t before = text.size();
  if (!skip_digits(text) || (zero && before - text.size() > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  return text.empty();
}

bool append_base64_of_hex(std::string& out, std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  text.remove_prefix(2);
  const std::size_t kept = out.size();
  for (std::size_t at = 0; at < text.size(); at += 6) {
    const std::string_view group = text.substr(at, 6);  // three bytes, four letters
    std::uint32_t bits = 0;
    for (const char digit : group) {
      const int value = hex_value(digit);
      if (value < 0) {
        out.resize(kept);
        return false;
      }
      bits = bits << 4 | static_cast<std::uint32_t>(value);
    }
    bits <<= 4 * (6 - group.size());
    const std::size_t letters = group.size() / 2 + 1;
    for (std::size_t i = 0; i < 4; ++i) out.push_back(i < letters ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=');
  }
  return true;
}

}  // namespace walrelay::sinks
