// Rows that cannot be written: a NULL in a key, an expression that fails, a value that Redis does not take.
//
//   write throws RowError ──> BoundWriter ─┬─ the mapping's policy is `stop` ──> RowError: the session ends
//                                          └─ else ──> Refusal: this mapping leaves the row out, the others write it
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace walrelay::sinks {

// What becomes of a row that cannot be written: the session ends, it is noted, or it is only counted.
enum class OnPoison : std::uint8_t { stop, dead_letter, skip };

// One row that cannot be written (NULL in a key). The message names the table, the write and the column, no value.
class RowError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What a mapping that does not stop for it left out of a row, because it cannot be written: all that the mapping would
// have written. Its entries of the row stay as they are in Redis; those of other mappings are written.
struct Refusal {
  std::string error;
  OnPoison policy;
};

}  // namespace walrelay::sinks
