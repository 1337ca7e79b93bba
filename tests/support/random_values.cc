#include "tests/support/random_values.h"

#include "tests/support/sql_connection.h"

namespace walrelay::support {

std::uint64_t RandomValues::below(std::uint64_t limit) { return engine_() % limit; }

int RandomValues::between(int low, int high) {
  return low + static_cast<int>(below(static_cast<std::uint64_t>(high - low + 1)));
}

double RandomValues::unit() { return static_cast<double>(engine_() >> 11) / 9007199254740992.0; }

bool RandomValues::chance(double part) { return unit() < part; }

std::string RandomValues::odd_text() {
  static const std::string texts[] = {
      "",     " ",       "a:b",    "100%",       "{slot}",   "it's", "back\\n", "\"quoted\"", "tab\tline\nend",
      "\r\n", "Grün Ωé", "日本語", "\U0001F980", "\x01\x7f", "NULL", "\\N",     "  spaces  ", "null",
      "{}",   "a,b;c"};
  return one_of(texts) + (chance(0.5) ? std::to_string(below(10)) : "");
}

std::string RandomValues::letters(std::size_t count) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text(count, ' ');
  for (char& c : text) c = alphabet[below(64)];
  return text;
}

std::string RandomValues::large_literal() {
  if (chance(0.4))
    return "repeat(" + quoted(odd_text() + letters(3)) + ", " + std::to_string(between(2000, 9000)) + ")";
  return quoted(letters(static_cast<std::size_t>(between(2500, chance(0.1) ? 60000 : 9000))));
}

std::string RandomValues::text_literal() {
  switch (below(8)) {
    case 0:
      return "NULL";
    case 1:
      return "''";
    case 2:
      return quoted(letters(static_cast<std::size_t>(between(100, 900))));
    case 3:
    case 4:
      return large_literal();
    default:
      return quoted(odd_text());
  }
}

std::string RandomValues::bytes_literal() {
  if (chance(0.2)) return "NULL";
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (std::uint64_t left = below(chance(0.1) ? 5000 : 40); left > 0; --left) {
    hex += digits[below(16)];
    hex += digits[below(16)];
  }
  return "decode('00" + hex + "', 'hex')";
}

}  // namespace walrelay::support
