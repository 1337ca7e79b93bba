// The words for single values: durations, sizes, whole numbers, flags. Text in, text out, nothing else.
//
//   duration   100ms  5s  1m  2h  1d  1h30m  0      a bare number other than 0 has no unit and is refused
//   size       4096  512k  64MB  1MiB               k M G T are powers of 1000, Ki Mi Gi Ti powers of 1024
//   flag       true false yes no on off 1 0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walrelay::config {

inline constexpr std::string_view kDurationRule =
    "write a whole number with its unit (ms, s, m, h or d), as in 100ms, 5s or 1h30m";
inline constexpr std::string_view kSizeRule =
    "write a whole number of bytes, or one with a unit, as in 512k, 64MB or 1MiB";

// More is a slip of the pen.
inline constexpr std::chrono::milliseconds kLongestDuration = std::chrono::hours(24) * 365 * 10;

// Empty when the text is not of the form. Longer than kLongestDuration counts as that, too.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::optional<std::uint64_t> parse_size(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<bool> parse_flag(std::string_view text);

// A letter or "_", and then letters, digits or "_": the name of a variable, or of a let.
bool is_identifier(std::string_view text);

// In the largest unit that says it exactly.
std::string format_duration(std::chrono::milliseconds duration);
std::string format_size(std::uint64_t bytes);

}  // namespace walrelay::config
