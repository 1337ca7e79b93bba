// The matcher runs one automaton per placeholder over the key and keeps, for every place of the key, the set of its
// states as bits. So every split is tried at once, in time proportional to key length times placeholders.
//
//   user:{a}:{b|enc}     u s e r : x : y % 3 A
//   {a} may end at                 ^ ^ ^ ^ ^ ^   then ':' must follow, then {b|enc} must reach the end
#include "sinks/glob.h"

#include <bit>

namespace walrelay::sinks {
namespace {

using Places = std::vector<bool>;  // for every place of the key, its end included: may the next part begin here?

void match_literal(std::string_view key, std::string_view literal, Places& places) {
  if (literal.empty()) return;
  Places after(places.size());
  for (std::size_t at = 0; at + literal.size() <= key.size(); ++at) {
    if (places[at] && key.substr(at, literal.size()) == literal) after[at + literal.size()] = true;
  }
  places.swap(after);
}

void match_value(std::string_view key, shapes::Shape shape, bool encoded, Places& places) {
  std::vector<std::uint64_t> states(places.size());
  for (std::size_t at = 0; at <= key.size(); ++at) {
    if (places[at]) states[at] |= 1;
    places[at] = false;
    const auto unit = states[at] != 0 && at < key.size() ? shapes::unit_at(key, at, encoded) : std::nullopt;
    for (std::uint64_t left = states[at]; left != 0; left &= left - 1) {
      const int state = std::countr_zero(left);
      if (shapes::accepts(shape, state)) places[at] = true;
      const int next = unit ? shapes::step(shape, state, unit->byte) : shapes::kDead;
      if (next != shapes::kDead) states[at + unit->size] |= std::uint64_t{1} << next;
    }
  }
}

void append_escaped(std::string& out, std::string_view literal) {
  for (const char byte : literal) {
    if (std::string_view("*?[]\\^").find(byte) != std::string_view::npos) out.push_back('\\');
    out.push_back(byte);
  }
}

}  // namespace

std::string glob_of(std::string_view text) {
  std::string glob;
  append_escaped(glob, text);
  return glob;
}

std::string key_glob(const BoundTemplate& key) {
  std::string glob;
  bool after_star = false;
  for (const auto& part : key.parts()) {
    append_escaped(glob, part.literal);
    if (!after_star || !part.literal.empty()) glob.push_back('*');
    after_star = true;
  }
  append_escaped(glob, key.tail());
  return glob;
}

KeyMatcher::KeyMatcher(const BoundTemplate& key) : tail_(key.tail()) {
  for (const auto& part : key.parts()) parts_.push_back({part.literal, shapes::shape_of(part.type), part.encoded});
}

bool KeyMatcher::operator()(std::string_view key) const {
  if (parts_.empty()) return key == tail_;
  if (!key.starts_with(parts_.front().literal) || !key.ends_with(tail_)) return false;
  Places places(key.size() + 1);
  places[0] = true;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (i == 0) {
      places[0] = false;
      places[parts_[0].literal.size()] = true;
    } else {
      match_literal(key, parts_[i].literal, places);
    }
    match_value(key, parts_[i].shape, parts_[i].encoded, places);
  }
  return key.size() >= tail_.size() && places[key.size() - tail_.size()];
}

}  // namespace walrelay::sinks
