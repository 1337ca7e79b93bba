#include "sidecar/readable.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace walrelay::sidecar {

namespace {

// One digit behind the point while that says something: 0.4, 9.9, 10.
std::string short_number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, value < 9.95 && value != std::floor(value) ? "%.1f" : "%.0f", value);
  return text;
}

std::string two_units(std::int64_t whole, std::int64_t size, const char* large, std::int64_t small_size,
                      const char* small) {
  const std::int64_t rest = whole % size / small_size;
  std::string text = std::to_string(whole / size) + " " + large;
  return rest == 0 ? text : text + " " + std::to_string(rest) + " " + small;
}

}  // namespace

std::string readable_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string readable_rate(double per_second) {
  return per_second < 9.95 ? short_number(std::max(0.0, per_second))
                           : readable_count(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string readable_bytes(std::int64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  constexpr double kStep = 1024;
  auto value = static_cast<double>(std::max<std::int64_t>(0, bytes));
  std::size_t unit = 0;
  while (value >= kStep - 0.5 && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  return short_number(value) + " " + kUnits[unit];
}

std::string readable_duration(double seconds) {
  constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;
  if (seconds <= 0) return "0 s";
  if (seconds < 0.0995) return std::to_string(std::max<long long>(1, std::llround(seconds * 1000))) + " ms";
  if (seconds < 59.5) return short_number(seconds) + " s";
  const std::int64_t whole = std::llround(std::min(seconds, 1e12));
  if (whole < kHour) return two_units(whole, kMinute, "min", 1, "s");
  if (whole < kDay) return two_units(whole, kHour, "h", kMinute, "min");
  return two_units(whole, kDay, "d", kHour, "h");
}

std::string readable_percent(double part) {
  const double percent = std::clamp(part, 0.0, 1.0) * 100;
  // Not yet whole is not 100.
  return (percent > 99.4 && percent < 100 ? "99" : short_number(percent)) + " %";
}

}  // namespace walrelay::sidecar
