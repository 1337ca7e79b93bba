#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace walrelay::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 5> kDurations{{{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kBinary{
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"", 1}}};
constexpr auto kLongest = static_cast<std::uint64_t>(kLongestDuration.count());

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Takes the digits off the front.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint64_t> size_factor(std::string_view unit) {
  std::string name = lowered(unit);
  if (name.ends_with('b')) name.pop_back();
  if (name.empty()) return 1;
  const bool binary = name.size() == 2 && name[1] == 'i';
  const auto power = std::string_view("kmgt").find(name[0]);
  if (power == std::string_view::npos || !(name.size() == 1 || binary)) return std::nullopt;
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
  return factor;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds{0};
  std::uint64_t total = 0;
  std::uint64_t last_factor = ~0ULL;  // units go down: 1h30m, not 30m1h
  do {
    const auto number = take_number(text);
    const std::size_t length = std::min(text.find_first_of("0123456789"), text.size());
    const Unit* unit = nullptr;
    for (const Unit& candidate : kDurations) {
      if (candidate.name == text.substr(0, length)) unit = &candidate;
    }
    if (!number || unit == nullptr || unit->factor >= last_factor || *number > kLongest / unit->factor) return {};
    total += *number * unit->factor;
    last_factor = unit->factor;
    text.remove_prefix(length);
  } while (!text.empty());
  if (total > kLongest) return {};
  return std::chrono::milliseconds{static_cast<std::int64_t>(total)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_number(text);
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto factor = size_factor(text);
  constexpr std::uint64_t kLargest = 1ULL << 62;
  if (!number || !factor || *number > kLargest / *factor) return {};
  return *number * *factor;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

std::optional<bool> parse_flag(std::string_view text) {
  const std::string word = lowered(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return {};
}

bool is_identifier(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto word = [&](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit(c); };
  return !text.empty() && !digit(text[0]) && std::all_of(text.begin(), text.end(), word);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0";
  for (const Unit& unit : kDurations) {
    if (count % unit.factor == 0) return std::to_string(count / unit.factor) + std::string(unit.name);
  }
  return "";
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : kBinary) {
    if (bytes >= unit.factor && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return "0";
}

}  // namespace walrelay::config
