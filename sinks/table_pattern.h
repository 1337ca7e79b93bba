// The `tables:` pattern of a mapping: an ECMAScript regular expression on "schema.table" with named groups, which
// std::regex lacks: they are turned into numbered ones here.
//
//   ^public\.items_(?<queue>[a-z]+)_(\d+)$   ->   ^public\.items_([a-z]+)_(\d+)$    queue = group 1
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/template.h"

namespace walrelay::sinks {

class TablePattern {
 public:
  explicit TablePattern(const std::string& expression);  // throws std::invalid_argument saying what is wrong
  ~TablePattern();
  TablePattern(TablePattern&&) noexcept;
  TablePattern& operator=(TablePattern&&) noexcept;

  // The captures when the name matches anywhere (the author anchors). A group that took no part is the empty text.
  // Names have at most 127 bytes, which bounds the recursion of std::regex.
  [[nodiscard]] std::optional<Captures> match(std::string_view schema, std::string_view table) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sinks
