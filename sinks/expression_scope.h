// The names that an expression may use: captures hide lets, and lets hide columns, because a column that is added later
// must not change the meaning of an expression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace walrelay::sinks {

class ExpressionScope {
 public:
  enum class Kind : std::uint8_t { column, let, capture };
  struct Name {
    Kind kind = Kind::column;
    std::vector<std::size_t> places;   // in the list of its kind: more than one when SQL cannot tell them apart
    std::vector<std::string> written;  // as they are written there, in the same order
  };

  // A name of a higher kind replaces those of a lower one; a lower one beside a higher one is never seen.
  void add(Kind kind, std::size_t place, const std::string& name);

  [[nodiscard]] const Name* find(const std::string& folded_name) const;       // null: there is none
  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }  // as written, for "did you mean"

 private:
  std::map<std::string, Name> names_;  // folded
  std::vector<std::string> all_;
};

}  // namespace walrelay::sinks
