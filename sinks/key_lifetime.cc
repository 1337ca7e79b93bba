#include "sinks/key_lifetime.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sinks/expression_time.h"
#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

using replication::Row;
using replication::TypeKind;
using replication::ValueState;

constexpr std::int64_t kLatest = 4'000'000'000'000'000'000;  // Redis adds to it and subtracts from it

// By a part that is the key's own. It stays the same from one version of the program to the next, because a comparison
// expects it: FNV-1a, then mixed, since the upper bits of that alone differ little between short keys.
std::int64_t shortened(std::int64_t ms, std::uint64_t jitter, std::string_view key) {
  if (jitter == 0) return ms;
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : key) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15U;
  hash ^= hash >> 29;
  const double part = static_cast<double>(hash >> 11) * 0x1p-53;
  const double share = static_cast<double>(ms) * static_cast<double>(jitter) / 100;
  return std::max<std::int64_t>(ms - static_cast<std::int64_t>(share * part), 1);
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::int64_t ms_of(std::int64_t number, const std::string& unit) {
  if (unit == "us") return floor_division(number, 1000);
  if (unit == "ms") return std::clamp(number, -kLatest, kLatest);
  return std::clamp(number, -kLatest / 1000, kLatest / 1000) * 1000;
}

std::int64_t ms_of(double number, const std::string& unit) {
  const double ms = unit == "us" ? number / 1000 : unit == "ms" ? number : number * 1000;
  return static_cast<std::int64_t>(std::clamp(std::floor(ms), -double{kLatest}, double{kLatest}));
}

bool is_number(const replication::ColumnType* type) {
  if (type == nullptr) return false;
  return type->kind == TypeKind::integer || type->kind == TypeKind::numeric || type->kind == TypeKind::floating;
}

}  // namespace

KeyLifetime::KeyLifetime(const BindContext& context) : site_(context.site()) {
  const Parameter* given = context.find("ttl");
  if (given == nullptr) return;
  const Lifetime& life = given->lifetime;
  if (life.at.empty()) {
    constant_ms_ = life.constant.count();
    jitter_ = std::min(life.jitter, 100U);
    on_change_ = life.on_change;
    return;
  }
  at_ = context.compile("ttl.at", life.at);
  unit_ = life.unit;
  add_ms_ = life.add.count();
  name_ = context.name_of(*at_);
  if (unit_.empty() && is_number(context.type_of(*at_))) {
    context.fail("ttl.at: " + name_ + " is a number; say whether it counts s, ms or us since 1970 with \"unit\"");
  }
}

bool KeyLifetime::known(Row row) const {
  if (!at_) return true;
  const ValueState state = row[*at_].state;
  return state == ValueState::text || state == ValueState::null;
}

Expiry KeyLifetime::of(std::string_view key, Row row) const {
  if (constant_ms_ > 0) return {Expiry::Kind::after, shortened(constant_ms_, jitter_, key)};
  if (!at_ || !row[*at_].has_text() || row[*at_].text == "infinity") return {};
  const std::int64_t ms = std::clamp(moment(row[*at_].text), -kLatest, kLatest) + add_ms_;
  return {Expiry::Kind::at, std::clamp<std::int64_t>(ms, 1, kLatest)};
}

std::int64_t KeyLifetime::moment(std::string_view text) const {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  const auto number = is_whole ? static_cast<double>(whole) : number_in(text);
  if (number && unit_.empty()) {
    throw RowError(site_ + ": ttl.at: " + name_ + " gives a number in a row; say whether it counts s, ms or us since " +
                   "1970 with \"unit\"");
  }
  if (number) return is_whole ? ms_of(whole, unit_) : ms_of(*number, unit_);
  const ReadTime time = read_time(text);
  switch (time.state) {
    case ReadTime::State::known:
      return floor_division(time.microseconds, 1000);
    case ReadTime::State::infinite:
      return -kLatest;  // the other one is no moment
    case ReadTime::State::beyond:
      return text.starts_with('-') || text.ends_with("BC") ? -kLatest : kLatest;
    case ReadTime::State::malformed:
      break;
  }
  throw RowError(site_ + ": ttl.at: " + name_ + " is neither a timestamp nor a number in a row; correct the row or " +
                 "the expression");
}

void append_expiry(std::string_view key, const Expiry& expiry, bool persist, Batch& batch) {
  static const std::string kAfter = resp::bulk("PEXPIRE"), kAt = resp::bulk("PEXPIREAT"),
                           kPersist = resp::bulk("PERSIST");
  if (expiry.kind == Expiry::Kind::never) {
    if (!persist) return;
    batch.command(2);
    batch.rendered(kPersist);
    batch.argument(key);
    return;
  }
  batch.command(3);
  batch.rendered(expiry.kind == Expiry::Kind::after ? kAfter : kAt);
  batch.argument(key);
  batch.argument(std::to_string(expiry.ms));
}

void describe_lifetime(std::vector<ParameterDescription>& parameters) {
  using Shape = ParameterShape;
  parameters.push_back(
      {"ttl",
       Shape::lifetime,
       false,
       {},
       "How long the key lives after its last write, or until when; for ever by default. A moment that has passed: the "
       "key is not there; NULL: it lives for ever."});
  parameters.push_back({"if_cached",
                        Shape::flag,
                        false,
                        {},
                        "Only keys that exist already are written, when a table is loaded too; without a ttl here they "
                        "keep the one that they have."});
}

}  // namespace walrelay::sinks
