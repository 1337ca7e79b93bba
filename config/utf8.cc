#include "config/utf8.h"

#include <cstdint>

namespace walrelay::config {

namespace {

struct Form {
  unsigned mask, bits;
  std::uint32_t smallest;  // below it, the sequence is longer than it needs to be
};
constexpr Form kForms[] = {{0x80, 0x00, 0x0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

// The length of the character that begins the text, or 0 when it is none.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  for (std::size_t length = 1; length <= 4; ++length) {
    const Form& form = kForms[length - 1];
    if ((first & form.mask) != form.bits) continue;
    if (text.size() < length) return 0;
    std::uint32_t code = first & ~form.mask;
    for (std::size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xC0U) != 0x80U) return 0;
      code = (code << 6U) | (next & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < form.smallest || code > 0x10FFFF || surrogate ? 0 : length;
  }
  return 0;
}

bool is_forbidden(char c) {
  const auto code = static_cast<unsigned char>(c);
  return (code < 0x20 && c != '\t' && c != '\n' && c != '\r') || code == 0x7F;
}

}  // namespace

std::optional<TextFault> find_text_fault(std::string_view text) {
  int line = 1;
  int column = 1;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text.substr(i));
    if (length == 0) return TextFault{line, column, "the file is not UTF-8; save it as UTF-8"};
    if (is_forbidden(text[i]))
      return TextFault{line, column, "a control character; YAML takes none but tab and line end"};
    column += static_cast<int>(length);
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
    i += length;
  }
  return {};
}

}  // namespace walrelay::config
