// Globs as Redis understands them in SCAN MATCH, for many of them in one pass over the keys.
//
//   *  any text, also none      ?  any byte      [ab] [a-z] [^a]  a byte of a set, or not of it      \x  x itself
//
//   GlobSet: by their literal beginnings, so that most keys are compared with few globs
//     "cache:asset:"   *            cache:asset:7  ──>  "cache:asset:" ──> match the rest with each of its globs
//     "bundle:"        7:*, 8:*
//
// Redis' own oddities are kept: a set that is never closed ends with the glob, and only "*" matches the empty text.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace walrelay::sinks {

class Glob {
 public:
  explicit Glob(std::string_view text);

  [[nodiscard]] bool matches(std::string_view text) const;
  // The text that it alone matches; nothing where there may be several.
  [[nodiscard]] std::optional<std::string> literal() const;
  [[nodiscard]] const std::string& prefix() const { return prefix_; }  // every text that it matches begins so

 private:
  friend class GlobSet;
  struct Element {
    enum class Kind : std::uint8_t { byte, any, set, star } kind = Kind::byte;
    unsigned char byte = 0;
    std::size_t set = 0;  // in sets_
  };
  [[nodiscard]] bool takes(const Element& element, unsigned char byte) const;
  [[nodiscard]] bool matches_rest(std::string_view text) const;  // after the prefix
  std::size_t parse_set(std::string_view glob, std::size_t at);

  std::string prefix_;
  std::vector<Element> rest_;
  std::vector<std::bitset<256>> sets_;
  bool everything_ = false;  // it is "*"
};

class GlobSet {
 public:
  void add(std::string_view glob);
  [[nodiscard]] bool matches(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  // With how many of them a key may have to be compared.
  [[nodiscard]] std::size_t most_candidates() const { return most_candidates_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::vector<Glob>, Hash, std::equal_to<>> by_prefix_;
  std::vector<std::size_t> lengths_;  // of the prefixes, ascending
  std::size_t size_ = 0, most_candidates_ = 0;
};

}  // namespace walrelay::sinks
