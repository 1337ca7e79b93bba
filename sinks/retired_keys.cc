#include "sinks/retired_keys.h"

#include <algorithm>
#include <utility>

#include "sinks/place.h"

namespace walrelay::sinks {
namespace {

using Kept = std::vector<const RelationWriter*>;
using Inner = decltype(OwnedKeys::removal);

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

class RemovalOfTheRest : public MemberRemoval {
 public:
  RemovalOfTheRest(Inner inner, Kept kept) : inner_(std::move(inner)), kept_(std::move(kept)) {}
  [[nodiscard]] const char* scan() const override { return inner_->scan(); }
  [[nodiscard]] bool owns(std::string_view home, std::string_view member) const override {
    return inner_->owns(home, member) && !is_kept_member(kept_, home, member);
  }
  void append(Batch& batch, std::string_view home, std::string_view member) const override {
    inner_->append(batch, home, member);
  }

 private:
  const Inner inner_;
  const Kept kept_;
};

}  // namespace

std::vector<OwnedKeys> keys_left(const RelationWriter& old, const Kept& kept) {
  std::vector<OwnedKeys> left = old.truncated();
  for (OwnedKeys& each : left) {
    if (each.state) {
      each.owns = [owns = each.owns, kept](std::string_view key) { return owns(key) && !is_kept_state(kept, key); };
    } else if (each.removal != nullptr) {
      each.removal = std::make_shared<RemovalOfTheRest>(each.removal, kept);
    } else {
      each.owns = [owns = each.owns, kept](std::string_view key) { return owns(key) && !is_kept(kept, key); };
    }
  }
  return left;
}

}  // namespace walrelay::sinks
