// Points in time as text: what PostgreSQL and JSON documents write, read to the microsecond, and what JavaScript and Go
// write.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace walrelay::sinks {

// Of a timestamp or a date, in UTC where it names no zone:
//   2026-02-05T10:00:00.5Z      2026-02-05 10:00:00.5+05:30      2026-02-05      0044-03-15 12:00:00+00 BC
// A year has four digits or more, or a sign and six as in JavaScript. Digits behind the microseconds are dropped.
struct ReadTime {
  enum class State : std::uint8_t { known, infinite, malformed, beyond };  // beyond: what 64 bits of microseconds hold
  State state = State::malformed;
  std::int64_t microseconds = 0;  // since 1970
};
ReadTime read_time(std::string_view text);

class TimeText {
 public:
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
  void put(char byte) { bytes_[size_++] = byte; }
  void put_digits(std::int64_t number, int digits);  // with zeros in front

 private:
  std::array<char, 40> bytes_;  // "+292277-01-09T04:00:54.775807Z" is the longest
  std::size_t size_ = 0;
};

// As Date.toISOString() of JavaScript: 2026-01-01T00:00:00.000Z, years beyond 9999 and before 0 as +010000.
TimeText iso_ms(std::int64_t microseconds);
// As Go writes it: 2026-02-05T10:00:00.5Z, a fraction only where it is not zero. Nothing where RFC 3339 has no such
// year.
std::optional<TimeText> rfc3339(std::int64_t microseconds);

// Towards minus infinity, as time before 1970 needs it; the divisor is positive.
constexpr std::int64_t floor_division(std::int64_t dividend, std::int64_t divisor) {
  return dividend / divisor - (dividend % divisor < 0 ? 1 : 0);
}

}  // namespace walrelay::sinks
