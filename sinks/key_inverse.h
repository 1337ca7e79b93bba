// The inverse of a key template: of which columns' texts can this key have been made?
//
//   {a}:{b}   x:y:z   a=x b=y:z
//                     a=x:y b=z      without |enc a key may have several readings
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/key_reading.h"
#include "sinks/key_shapes.h"
#include "sinks/template.h"

namespace walrelay::sinks {

class KeyInverse {
 public:
  // Columns from `real` on are virtual: they may have any text, and no reading speaks of them.
  explicit KeyInverse(const BoundTemplate& key, std::size_t real = ~std::size_t{0});

  // Gives every reading of the key, each once; where a column stands in the template twice both texts are the same.
  // Each one renders to the key, but is only as likely as the columns' types can tell: a reading may hold 99 for the
  // 13th month, or bytes that are no UTF-8. What `out` held goes.
  // False, with nothing in `out`: there are more than `most`, or they cannot be told in reasonable time (only where a
  // column stands in the template twice). Nothing may be concluded then.
  bool readings(std::string_view key, std::size_t most, std::vector<KeyReading>& out) const;

  // That readings speak of: ascending, each once.
  [[nodiscard]] const std::vector<std::size_t>& columns() const { return real_columns_; }

 private:
  class Search;
  struct Part {
    std::string literal;
    shapes::Shape shape = shapes::Shape::any;
    bool encoded = false;
    std::size_t slot = 0;  // in columns_
  };
  std::vector<Part> parts_;
  std::string tail_;
  std::vector<std::size_t> columns_, real_columns_;  // all; those before the virtual ones
};

}  // namespace walrelay::sinks
