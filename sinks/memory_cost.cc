#include "sinks/memory_cost.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

namespace walrelay::sinks {
namespace {

using Type = Expectation::Type;

// jemalloc's size class: steps of 16 up to 128, then four for each doubling.
double allocated(std::size_t bytes) {
  if (bytes <= 8) return 8;
  const std::size_t step = bytes <= 128 ? 16 : std::bit_floor(bytes - 1) / 4;
  return static_cast<double>((bytes + step - 1) / step * step);
}

// Of a hash table: an entry of three words, and of its buckets, which are one to two for each entry, a pointer.
double entry() { return allocated(24) + 12; }

constexpr std::size_t kObject = 16, kDict = 56, kListpack = 7;
constexpr std::size_t kLongestCompact = 64;  // hash-max-listpack-value, zset-max-listpack-value
constexpr double kMostFields = 512;          // hash-max-listpack-entries
constexpr double kMostScored = 128;          // zset-max-listpack-entries
constexpr double kMostNumbers = 512;         // set-max-intset-entries
// A node of a sorted set's skip list: member, score and way back, and 1.33 levels of two words on average.
constexpr double kSkipNode = 52;

// A string with its header and NUL byte.
std::size_t string_size(std::size_t length) {
  return length + (length < 32 ? 2 : length < 256 ? 4 : length < 65536 ? 6 : 10);
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && std::to_string(number) == text;
  return whole ? std::optional(number) : std::nullopt;
}

std::size_t number_size(std::uint64_t magnitude) { return magnitude < 0x8000 ? 2 : magnitude < 0x80000000U ? 4 : 8; }

// An entry of a listpack with the byte or bytes that lead back over it.
std::size_t compact(std::string_view text) {
  const auto number = integer_of(text);
  if (!number) return text.size() + (text.size() < 64 ? 2 : 4);
  if (*number >= 0 && *number < 128) return 2;
  return 2 + number_size(static_cast<std::uint64_t>(*number < 0 ? -(*number + 1) : *number));
}

double key_cost(const std::string& key, bool expires) {
  return entry() + allocated(string_size(key.size())) + allocated(kObject) + (expires ? entry() : 0);
}

// Beside the object: up to 44 bytes stand in one block with it, and a number in the place of its pointer.
double text_cost(std::string_view value) {
  if (integer_of(value)) return 0;
  if (value.size() <= 44) return allocated(kObject + 4 + value.size()) - allocated(kObject);
  return allocated(string_size(value.size()));
}

double hash_cost(const Expectation& expected) {
  std::size_t pack = kListpack;
  double table = allocated(kDict);
  bool fits = static_cast<double>(expected.fields.size()) <= kMostFields;
  for (const auto& [name, value] : expected.fields) {
    fits = fits && std::max(name.size(), value.size()) <= kLongestCompact;
    pack += compact(name) + compact(value);
    table += entry() + allocated(string_size(name.size())) + allocated(string_size(value.size()));
  }
  return fits ? allocated(pack) : table;
}

std::uint64_t whole_number(std::string_view text) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, integer_of(text).value_or(0)));
}

}  // namespace

double all_different(double met, double met_once, double sampled, double scale) {
  if (met == 0) return 0;
  return std::min(met * sampled / (sampled - met_once + met_once / scale), sampled * scale);
}

void MemoryCost::add(const Expectation& expected) {
  if (expected.skip || expected.type == Type::none || (expected.of_member() && !expected.present)) return;
  type_ = expected.type;
  ++rows_;
  if (expected.of_member()) return add_member(expected);
  const bool expires = expected.ttl.count() > 0 || expected.deadline > 0;
  whole_ +=
      key_cost(expected.key, expires) + (expected.type == Type::hash ? hash_cost(expected) : text_cost(expected.value));
}

void MemoryCost::add_member(const Expectation& expected) {
  const auto [key, is_new] = keys_.try_emplace(expected.key);
  if (is_new) key_bytes_ += key_cost(expected.key, false);
  ++key->second.rows;
  const std::string& member = expected.member;
  key->second.largest = std::max(key->second.largest, whole_number(member));
  numbers_only_ = numbers_only_ && integer_of(member);
  if (++places_[expected.place()] > 1) return;
  longest_ = std::max({longest_, member.size(), expected.type == Type::field ? expected.value.size() : 0});
  full_bytes_ += entry() + allocated(string_size(member.size()));
  compact_bytes_ += static_cast<double>(compact(member));
  if (expected.type == Type::scored_member) {
    full_bytes_ += kSkipNode;
    compact_bytes_ += static_cast<double>(compact(expected.value));
  } else if (expected.type == Type::field) {
    full_bytes_ += allocated(string_size(expected.value.size()));
    compact_bytes_ += static_cast<double>(compact(expected.value));
  }
}

double MemoryCost::bytes(double scale) const {
  if (keys_.empty()) return whole_ * scale;
  double keys_once = 0, places_once = 0;
  for (const auto& [key, shared] : keys_) keys_once += shared.rows == 1 ? 1 : 0;
  for (const auto& [place, rows] : places_) places_once += rows == 1 ? 1 : 0;
  const auto met = static_cast<double>(keys_.size()), met_places = static_cast<double>(places_.size());
  const double keys = all_different(met, keys_once, rows_, scale);
  const double places = std::max(keys, all_different(met_places, places_once, rows_, scale));
  const bool of_numbers = type_ == Type::bit || type_ == Type::value;
  return keys * key_bytes_ / met + (of_numbers ? numbers(keys, places) : members(keys, places));
}

double MemoryCost::members(double keys, double places) const {
  const double each = places / keys, met = static_cast<double>(places_.size());
  if (type_ == Type::set_member) {
    std::uint64_t largest = 0;
    for (const auto& [key, shared] : keys_) largest = std::max(largest, shared.largest);
    if (numbers_only_ && each <= kMostNumbers) return keys * 8 + places * static_cast<double>(number_size(largest));
  } else if (each <= (type_ == Type::field ? kMostFields : kMostScored) && longest_ <= kLongestCompact) {
    return keys * allocated(kListpack + static_cast<std::size_t>(each * compact_bytes_ / met));
  }
  return keys * allocated(kDict) + places * full_bytes_ / met;
}

// A bitmap is as long as its last bit is far, and half as much again because Redis lets it grow by doubling. A roaring
// bitmap has two bytes for each value and some for each 65,536 of them, but never more than eight kilobytes there.
double MemoryCost::numbers(double keys, double places) const {
  double largest = 0;
  for (const auto& [key, shared] : keys_) largest += static_cast<double>(shared.largest);
  largest /= static_cast<double>(keys_.size());
  if (type_ == Type::bit) return keys * (16 + largest / 8 * 1.5);
  const double parts = std::min(places / keys, largest / 65536 + 1);
  return keys * (32 + std::min(places / keys * 2, parts * 8192) + parts * 8);
}

}  // namespace walrelay::sinks
