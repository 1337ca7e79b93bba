// Two passes over the key. Backwards over the template's parts: at which places may the value of a part end so that the
// rest of the key can be read? Then forwards, part by part, over only those ends. So every value that is tried belongs
// to a reading, and the time is that of the readings that are found.
//
//   {a}:{i}      x : y : 7        i an integer: {a} may end
//                      ^          here and not at the first colon
//
// Where a column stands in the template twice a try may be in vain, since the second text may differ from the first:
// then the number of steps bounds the search.
#include "sinks/key_inverse.h"

#include <algorithm>
#include <cstdint>

namespace walrelay::sinks {

class KeyInverse::Search {
 public:
  Search(const KeyInverse& inverse, std::string_view key, std::size_t most, std::vector<KeyReading>& out)
      : parts_(inverse.parts_),
        columns_(inverse.columns_),
        real_(inverse.real_columns_.size()),
        key_(key),
        most_(most),
        out_(out) {
    // A template whose columns are all different needs at most one walk over the key for each part of each reading.
    constexpr std::size_t kMostReadings = 1 << 20, kInVain = 64;
    steps_left_ = (std::min(most, kMostReadings) + kInVain) * parts_.size() * (key.size() + 1);
    texts_.resize(columns_.size());
    known_.resize(columns_.size());
  }

  // False: there is too much to find.
  bool run(std::string_view tail) {
    if (!key_.starts_with(parts_.front().literal) || !key_.ends_with(tail)) return true;
    find_ends(tail.size());
    return read(0, parts_.front().literal.size());
  }

 private:
  using Places = std::vector<bool>;  // for every place of the key, its end included

  void find_ends(std::size_t tail) {
    ends_.assign(parts_.size(), Places(key_.size() + 1));
    ends_.back()[key_.size() - tail] = true;
    for (std::size_t i = parts_.size() - 1; i > 0; --i) {
      const Places starts = starts_of(parts_[i], ends_[i]);
      const std::string& literal = parts_[i].literal;
      for (std::size_t at = 0; at + literal.size() <= key_.size(); ++at) {
        if (starts[at + literal.size()] && key_.substr(at).starts_with(literal)) ends_[i - 1][at] = true;
      }
    }
  }

  // Where a value may begin that can end at one of `ends`. For each place, the states as bits from which it can.
  Places starts_of(const Part& part, const Places& ends) const {
    const int states = shapes::state_count(part.shape);
    Places starts(key_.size() + 1);
    std::vector<std::uint64_t> hopeful(key_.size() + 1);
    for (std::size_t at = key_.size() + 1; at-- > 0;) {
      const auto unit = at < key_.size() ? shapes::unit_at(key_, at, part.encoded) : std::nullopt;
      const std::uint64_t after = unit ? hopeful[at + unit->size] : 0;
      if (after == 0 && !ends[at]) continue;
      for (int state = 0; state < states; ++state) {
        const int next = after != 0 ? shapes::step(part.shape, state, unit->byte) : shapes::kDead;
        const bool goes_on = next != shapes::kDead && ((after >> next) & 1) != 0;
        if (goes_on || (ends[at] && shapes::accepts(part.shape, state))) hopeful[at] |= std::uint64_t{1} << state;
      }
      starts[at] = (hopeful[at] & 1) != 0;
    }
    return starts;
  }

  // Finds every reading of the part and those after it, where its value begins at `at`. False: too many.
  bool read(std::size_t part, std::size_t at) {
    if (part == parts_.size()) return add();
    return known_[parts_[part].slot] ? read_known(part, at) : read_new(part, at);
  }

  bool read_after(std::size_t part, std::size_t end) {
    const std::size_t literal = part + 1 < parts_.size() ? parts_[part + 1].literal.size() : 0;
    return read(part + 1, end + literal);
  }

  bool read_new(std::size_t number, std::size_t at) {
    const Part& part = parts_[number];
    std::string& text = texts_[part.slot];
    text.clear();
    known_[part.slot] = true;
    bool all = true;
    for (int state = 0; state != shapes::kDead && all;) {
      if (steps_left_-- == 0) return false;
      if (ends_[number][at] && shapes::accepts(part.shape, state)) all = read_after(number, at);
      const auto unit = at < key_.size() ? shapes::unit_at(key_, at, part.encoded) : std::nullopt;
      if (!unit) break;
      text.push_back(static_cast<char>(unit->byte));
      state = shapes::step(part.shape, state, unit->byte);
      at += unit->size;
    }
    known_[part.slot] = false;
    return all;
  }

  // The column's text is known from an earlier part: it stands here or it does not.
  bool read_known(std::size_t number, std::size_t at) {
    const Part& part = parts_[number];
    std::string encoded;
    if (part.encoded) append_encoded(encoded, texts_[part.slot]);
    const std::string& text = part.encoded ? encoded : texts_[part.slot];
    if (steps_left_ <= text.size()) return false;
    steps_left_ -= text.size() + 1;
    if (!key_.substr(at).starts_with(text) || !ends_[number][at + text.size()]) return true;
    return read_after(number, at + text.size());
  }

  bool add() {
    if (out_.size() >= most_) return false;
    auto& columns = out_.emplace_back().columns;
    columns.reserve(real_);
    for (std::size_t slot = 0; slot < real_; ++slot) columns.emplace_back(columns_[slot], texts_[slot]);
    // Readings that differ in virtual columns only are one.
    const auto same = [&](const KeyReading& other) { return other.columns == columns; };
    if (real_ < columns_.size() && std::any_of(out_.begin(), out_.end() - 1, same)) out_.pop_back();
    return true;
  }

  const std::vector<Part>& parts_;
  const std::vector<std::size_t>& columns_;
  const std::size_t real_;
  const std::string_view key_;
  const std::size_t most_;
  std::vector<KeyReading>& out_;
  std::size_t steps_left_ = 0;
  std::vector<Places> ends_;        // by part
  std::vector<std::string> texts_;  // by slot, as far as they are known
  std::vector<bool> known_;
};

KeyInverse::KeyInverse(const BoundTemplate& key, std::size_t real) : tail_(key.tail()) {
  for (const auto& part : key.parts()) columns_.push_back(part.column);
  std::sort(columns_.begin(), columns_.end());
  columns_.erase(std::unique(columns_.begin(), columns_.end()), columns_.end());
  real_columns_.assign(columns_.begin(), std::lower_bound(columns_.begin(), columns_.end(), real));
  for (const auto& part : key.parts()) {
    const auto slot = std::lower_bound(columns_.begin(), columns_.end(), part.column) - columns_.begin();
    parts_.push_back({part.literal, shapes::shape_of(part.type), part.encoded, static_cast<std::size_t>(slot)});
  }
}

bool KeyInverse::readings(std::string_view key, std::size_t most, std::vector<KeyReading>& out) const {
  out.clear();
  if (parts_.empty()) {
    if (key != tail_) return true;
    if (most > 0) out.emplace_back();
    return most > 0;
  }
  if (Search(*this, key, most, out).run(tail_)) return true;
  out.clear();
  return false;
}

}  // namespace walrelay::sinks
