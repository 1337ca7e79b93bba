#include "sinks/key_shapes.h"

#include "sinks/template.h"

namespace walrelay::sinks::shapes {
namespace {

using replication::TypeKind;

bool digit(unsigned char c) { return c >= '0' && c <= '9'; }
bool hex(unsigned char c) { return digit(c) || (c >= 'a' && c <= 'f'); }
bool in(std::string_view set, unsigned char c) { return set.find(static_cast<char>(c)) != std::string_view::npos; }

// Whether `c` is the letter of the word after so many.
bool spells(std::string_view word, int letters, unsigned char c) {
  const auto at = static_cast<std::size_t>(letters);
  return at < word.size() && word[at] == static_cast<char>(c);
}

// 0 start, 1 after '-', 2 a lone zero, 3.. after so many digits without a leading zero.
int step_integer(int state, unsigned char c) {
  constexpr int kMostDigits = 19;
  if (state == 0 && c == '-') return 1;
  if (!digit(c) || state == 2) return kDead;
  if (state >= 3) return state - 2 < kMostDigits ? state + 1 : kDead;
  return c != '0' ? 3 : state == 0 ? 2 : kDead;
}

// 0 start, 1 after '-', 2 a lone zero, 3 whole digits, 4 '.', 5 fraction, 6 'e', 7 its sign, 8 its digits;
// 10..12 spells NaN, 20..27 spells Infinity.
int step_number(int state, unsigned char c) {
  if (state >= 20) return spells("Infinity", state - 19, c) ? state + 1 : kDead;
  if (state >= 10) return spells("NaN", state - 9, c) ? state + 1 : kDead;
  if (state == 0 && c == '-') return 1;
  if (state == 0 && c == 'N') return 10;
  if (state <= 1) return c == 'I' ? 20 : c == '0' ? 2 : digit(c) ? 3 : kDead;
  if (c == '.') return state <= 3 ? 4 : kDead;
  if (c == 'e') return state == 2 || state == 3 || state == 5 ? 6 : kDead;
  if (state == 6) return in("+-", c) ? 7 : kDead;
  if (!digit(c) || state == 2) return kDead;
  return state == 4 ? 5 : state == 7 ? 8 : state;
}

bool number_accepts(int state) {
  return state == 2 || state == 3 || state == 5 || state == 8 || state == 12 || state == 27;
}

int step_uuid(int state, unsigned char c) {
  const bool dash = state == 8 || state == 13 || state == 18 || state == 23;
  return state < 36 && (dash ? c == '-' : hex(c)) ? state + 1 : kDead;
}

// 0 start, 1 backslash, 2 after whole bytes, 3 half a byte.
int step_bytea(int state, unsigned char c) {
  if (state == 0) return c == '\\' ? 1 : kDead;
  if (state == 1) return c == 'x' ? 2 : kDead;
  return !hex(c) ? kDead : state == 2 ? 3 : 2;
}

std::optional<int> upper_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

int step(Shape shape, int state, unsigned char c) {
  constexpr std::string_view kDate = "0123456789- BCinfty", kTime = "0123456789:.+-",
                             kTimestamp = "0123456789-:.+ BCinfty";
  switch (shape) {
    case Shape::any:
      return c != 0 ? 0 : kDead;  // PostgreSQL has no text with a zero byte
    case Shape::integer:
      return step_integer(state, c);
    case Shape::numeric: {
      const int next = step_number(state, c);
      return next == 6 ? kDead : next;
    }
    case Shape::floating:
      return step_number(state, c);
    case Shape::uuid:
      return step_uuid(state, c);
    case Shape::boolean:
      return state == 0 && in("tf", c) ? 1 : kDead;
    case Shape::bytea:
      return step_bytea(state, c);
    case Shape::date:
      return in(kDate, c) ? 1 : kDead;
    case Shape::time:
      return in(kTime, c) ? 1 : kDead;
    case Shape::timestamp:
      return in(kTimestamp, c) ? 1 : kDead;
  }
  return kDead;
}

bool accepts(Shape shape, int state) {
  switch (shape) {
    case Shape::any:
      return true;
    case Shape::integer:
      return state >= 2;
    case Shape::numeric:
    case Shape::floating:
      return number_accepts(state);
    case Shape::uuid:
      return state == 36;
    case Shape::boolean:
    case Shape::date:
    case Shape::time:
    case Shape::timestamp:
      return state == 1;
    case Shape::bytea:
      return state == 2;
  }
  return false;
}

Shape shape_of(const replication::ColumnType* type) {
  switch (type == nullptr ? TypeKind::other : type->kind) {
    case TypeKind::integer:
      return Shape::integer;
    case TypeKind::numeric:
      return Shape::numeric;
    case TypeKind::floating:
      return Shape::floating;
    case TypeKind::uuid:
      return Shape::uuid;
    case TypeKind::boolean:
      return Shape::boolean;
    case TypeKind::bytea:
      return Shape::bytea;
    case TypeKind::date:
      return Shape::date;
    case TypeKind::time:
    case TypeKind::timetz:
      return Shape::time;
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
      return Shape::timestamp;
    default:
      return Shape::any;
  }
}

int state_count(Shape shape) {
  switch (shape) {
    case Shape::any:
      return 1;
    case Shape::integer:
      return 22;
    case Shape::numeric:
    case Shape::floating:
      return 28;
    case Shape::uuid:
      return 37;
    case Shape::bytea:
      return 4;
    case Shape::boolean:
    case Shape::date:
    case Shape::time:
    case Shape::timestamp:
      return 2;
  }
  return 1;
}

std::optional<Unit> unit_at(std::string_view key, std::size_t at, bool encoded) {
  const auto byte = static_cast<unsigned char>(key[at]);
  if (!encoded) return Unit{byte, 1};
  if (byte != '%') return must_encode(byte) ? std::nullopt : std::optional(Unit{byte, 1});
  if (at + 2 >= key.size()) return std::nullopt;
  const auto high = upper_hex(key[at + 1]), low = upper_hex(key[at + 2]);
  if (!high || !low) return std::nullopt;
  const auto decoded = static_cast<unsigned char>(*high * 16 + *low);
  return must_encode(decoded) ? std::optional(Unit{decoded, 3}) : std::nullopt;
}

}  // namespace walrelay::sinks::shapes
