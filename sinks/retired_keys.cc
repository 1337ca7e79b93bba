#include "sinks/retired_keys.h"

#include <algorithm>
#include <utility>

#include "sinks/place.h"

namespace walrelay::sinks {
namespace {

using Kept = std::vector<const RelationWriter*>;

constexpr std::size_t kReadings = 1;  // more than one says as much as one: the write could have made the place

bool is_kept(const Kept& kept, std::string_view key) {
  return std::any_of(kept.begin(), kept.end(), [key](const RelationWriter* writer) {
    const auto& owned = writer->owned();
    return std::any_of(owned.begin(), owned.end(), [key](const OwnedKeys& each) { return each.owns(key); });
  });
}

// Of walrelay's own keys: what a write keeps of rows.
bool is_kept_state(const Kept& kept, std::string_view key) {
  return std::any_of(kept.begin(), kept.end(), [key](const RelationWriter* writer) {
    const auto& all = writer->truncated();
    return std::any_of(all.begin(), all.end(), [key](const OwnedKeys& each) { return each.state && each.owns(key); });
  });
}

bool is_kept_member(const Kept& kept, std::string_view key, std::string_view member) {
  std::vector<KeyReading> readings;
  for (const RelationWriter* writer : kept) {
    for (std::size_t write = 0; write < writer->owned().size(); ++write) {
      const OwnedKeys& owned = writer->owned()[write];
      if (!owned.owns(key)) continue;
      if (owned.members == OwnedKeys::Members::none) return true;
      const std::string place = place_of(key, member);
      if (!writer->readings(write, place, kReadings, readings) || !readings.empty()) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<OwnedKeys> keys_left(const RelationWriter& old, const Kept& kept) {
  std::vector<OwnedKeys> left = old.truncated();
  for (OwnedKeys& each : left) {
    if (each.state) {
      each.owns = [owns = each.owns, kept](std::string_view key) { return owns(key) && !is_kept_state(kept, key); };
    } else if (each.removal) {
      each.removal->owns = [owns = each.removal->owns, kept](std::string_view home, std::string_view member) {
        return owns(home, member) && !is_kept_member(kept, home, member);
      };
    } else {
      each.owns = [owns = each.owns, kept](std::string_view key) { return owns(key) && !is_kept(kept, key); };
    }
  }
  return left;
}

}  // namespace walrelay::sinks
