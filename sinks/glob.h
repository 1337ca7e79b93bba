// Which keys a bound template can make: coarsely for SCAN MATCH, and exactly, as the inverse of rendering.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/key_shapes.h"
#include "sinks/template.h"

namespace walrelay::sinks {

// A glob that matches this very text.
std::string glob_of(std::string_view text);

// A glob that matches every key the template can make; literal text in it is escaped, so that a `*` in a table's name
// stays one.
std::string key_glob(const BoundTemplate& key);

// Whether the template could have made a key, by its literal text and by what the columns' types can print: an integer
// column matches 42 and not x, an encoded one no bare colon. Where several splits of the key are possible (two
// unencoded text columns) any one suffices. Placeholders of the same column are matched independently.
class KeyMatcher {
 public:
  explicit KeyMatcher(const BoundTemplate& key);
  bool operator()(std::string_view key) const;

 private:
  struct Part {
    std::string literal;
    shapes::Shape shape = shapes::Shape::any;
    bool encoded = false;
  };
  std::vector<Part> parts_;
  std::string tail_;
};

}  // namespace walrelay::sinks
