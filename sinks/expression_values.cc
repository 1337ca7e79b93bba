#include "sinks/expression_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace walrelay::sinks {
namespace {

using replication::ColumnType;
using replication::TypeKind;
using sqlite::bind_blob;
using sqlite::bind_text;

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Without the zeros behind the point that say nothing, and without the point if nothing else follows.
std::string_view without_zeros(std::string_view text) {
  if (text.find('.') == std::string_view::npos) return text;
  while (text.ends_with('0')) text.remove_suffix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

// A decimal of so many digits is the one that its nearest double prints as.
constexpr std::ptrdiff_t kExactDigits = 15;

bool prints_back(double number, std::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(), [](char byte) { return byte >= '0' && byte <= '9'; });
  if (digits <= kExactDigits) return true;
  std::array<char, 400> printed{};  // the largest double has 309 digits, those of a small one end before 400 here
  const auto [end, error] =
      std::to_chars(printed.data(), printed.data() + printed.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return false;
  return without_zeros(text) == std::string_view(printed.data(), static_cast<std::size_t>(end - printed.data()));
}

int bind_numeric(sqlite3_stmt* statement, int parameter, std::string_view text) {
  const std::string_view shortest = without_zeros(text);
  const bool point = text.find('.') != std::string_view::npos;
  const auto integer = number_of<sqlite3_int64>(shortest);
  if (integer && !point) return sqlite3_bind_int64(statement, parameter, *integer);
  const bool digit = !text.empty() && text.back() >= '0' && text.back() <= '9';  // neither NaN nor Infinity
  const auto real = digit ? number_of<double>(text) : std::nullopt;
  if (real && prints_back(*real, text)) return sqlite3_bind_double(statement, parameter, *real);
  if (integer) return sqlite3_bind_int64(statement, parameter, *integer);
  return bind_text(statement, parameter, text);
}

int bind_floating(sqlite3_stmt* statement, int parameter, std::string_view text) {
  const auto number = number_of<double>(text);
  if (number && std::isfinite(*number)) return sqlite3_bind_double(statement, parameter, *number);
  return bind_text(statement, parameter, text);
}

int bind_timestamp(sqlite3_stmt* statement, int parameter, std::string_view text, bool zone,
                   RewrittenTexts& rewritten) {
  const std::size_t space = text.find(' ');
  const bool plain = space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos;
  if (!plain || text[0] < '0' || text[0] > '9') return bind_text(statement, parameter, text);  // infinity, BC
  const std::size_t begin = rewritten.used();
  rewritten.put(text.substr(0, space));
  rewritten.put('T');
  text.remove_prefix(space + 1);
  const bool utc = zone && text.ends_with("+00");
  if (utc) text.remove_suffix(3);
  rewritten.put(text);
  if (utc) rewritten.put('Z');
  return bind_text(statement, parameter, rewritten.since(begin));
}

int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

int bind_bytea(sqlite3_stmt* statement, int parameter, std::string_view text, RewrittenTexts& rewritten) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return bind_text(statement, parameter, text);
  const std::size_t begin = rewritten.used();
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return bind_text(statement, parameter, text);
    rewritten.put(static_cast<char>(high * 16 + low));
  }
  return bind_blob(statement, parameter, rewritten.since(begin));
}

}  // namespace

int bind_value(sqlite3_stmt* statement, int parameter, const ColumnType* type, std::string_view text,
               RewrittenTexts& rewritten) {
  switch (type == nullptr ? TypeKind::other : type->kind) {
    case TypeKind::boolean:
      if (text == "t" || text == "f") return sqlite3_bind_int(statement, parameter, text == "t" ? 1 : 0);
      break;
    case TypeKind::integer:
      if (const auto number = number_of<sqlite3_int64>(text)) {
        return sqlite3_bind_int64(statement, parameter, *number);
      }
      break;
    case TypeKind::floating:
      return bind_floating(statement, parameter, text);
    case TypeKind::numeric:
      return bind_numeric(statement, parameter, text);
    case TypeKind::timestamp:
      return bind_timestamp(statement, parameter, text, false, rewritten);
    case TypeKind::timestamptz:
      return bind_timestamp(statement, parameter, text, true, rewritten);
    case TypeKind::bytea:
      return bind_bytea(statement, parameter, text, rewritten);
    default:
      break;
  }
  return bind_text(statement, parameter, text);
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_number(std::string& out, double number) {
  constexpr double kFirstExponent = 1e15;
  if (std::fabs(number) < kFirstExponent && std::trunc(number) == number) {
    return append_number(out, static_cast<std::int64_t>(number));
  }
  std::array<char, 32> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace walrelay::sinks
