#include "sinks/json_profile.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "sinks/expression_time.h"
#include "sinks/hex.h"
#include "sinks/json_text.h"

namespace walrelay::sinks {
namespace {

using replication::ColumnType;
using replication::TypeKind;

constexpr replication::Oid kBigint = 20;
constexpr std::int64_t kMostJavascriptMs = 8'640'000'000'000'000;  // a Date cannot say more
constexpr int kMostBeforePoint = 21, kMostZerosBehind = 5;         // without an exponent

std::optional<double> double_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return text.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// JavaScript's Number::toString: `digits` with the point behind the first `point` of them.
void append_digits(std::string_view digits, int point, std::string& out) {
  const int count = static_cast<int>(digits.size());
  const auto zeros = [&out](int number) { out.append(static_cast<std::size_t>(number), '0'); };
  if (point > kMostBeforePoint || point < -kMostZerosBehind) {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits.substr(1));
    out.append(point > 0 ? "e+" : "e-").append(std::to_string(std::abs(point - 1)));
  } else if (point <= 0) {
    out.append("0.");
    zeros(-point);
    out.append(digits);
  } else if (count <= point) {
    out.append(digits);
    zeros(point - count);
  } else {
    out.append(digits.substr(0, static_cast<std::size_t>(point))).append(".");
    out.append(digits.substr(static_cast<std::size_t>(point)));
  }
}

bool append_number(std::string_view text, std::string& out) {
  const auto number = double_of(text);
  if (!number) return false;
  append_javascript_number(*number, out);
  return true;
}

bool append_javascript_date(std::string_view text, std::string& out) {
  const ReadTime time = read_time(text);
  if (time.state == ReadTime::State::malformed) return false;
  const std::int64_t ms = floor_division(time.microseconds, 1000);
  const bool a_date = time.state == ReadTime::State::known && ms <= kMostJavascriptMs && ms >= -kMostJavascriptMs;
  if (a_date) {
    append_json_string(out, iso_ms(time.microseconds).view());
  } else {
    out.append("null");
  }
  return true;
}

bool append_buffer(std::string_view text, std::string& out) {
  std::string bytes;
  if (!append_bytes_of_hex(bytes, text)) return false;
  out.append(R"({"type":"Buffer","data":[)");
  const char* separator = "";
  for (const char byte : bytes) {
    out.append(separator).append(std::to_string(static_cast<unsigned char>(byte)));
    separator = ",";
  }
  out.append("]}");
  return true;
}

bool append_string(std::string_view text, std::string& out) {
  append_json_string(out, text);
  return true;
}

}  // namespace

void append_javascript_number(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out.append("null");
    return;
  }
  if (number == 0) return out.push_back('0');  // -0 too
  std::array<char, 32> printed{};
  const auto [end, error] =
      std::to_chars(printed.data(), printed.data() + printed.size(), number, std::chars_format::scientific);
  std::string_view text(printed.data(), static_cast<std::size_t>(end - printed.data()));
  if (text.starts_with('-')) {
    out.push_back('-');
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  const std::string_view power = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  int exponent = 0;
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits.append(text.substr(2, e - 2));
  append_digits(digits, exponent + 1, out);
}

bool append_as_node(const ColumnType& type, std::string_view text, bool in_array, std::string& out) {
  switch (type.kind) {
    case TypeKind::integer:
      return type.oid == kBigint && append_string(text, out);
    case TypeKind::numeric:
      return in_array ? append_number(text, out) : append_string(text, out);
    case TypeKind::floating:
      return append_number(text, out);
    case TypeKind::date:
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
      return append_javascript_date(text, out);
    case TypeKind::bytea:
      return append_buffer(text, out);
    case TypeKind::composite:
      return append_string(text, out);
    case TypeKind::array: {
      const TypeKind element = type.element == nullptr ? TypeKind::other : type.element->kind;
      const bool known = element != TypeKind::composite && element != TypeKind::enumeration;
      return !known && append_string(text, out);
    }
    default:
      return false;
  }
}

bool append_as_go(const ColumnType& type, std::string_view text, std::string& out) {
  if (type.kind != TypeKind::timestamp && type.kind != TypeKind::timestamptz) return false;
  const ReadTime time = read_time(text);
  if (time.state != ReadTime::State::known) return false;
  const auto written = rfc3339(time.microseconds);
  return written && append_string(written->view(), out);
}

}  // namespace walrelay::sinks
