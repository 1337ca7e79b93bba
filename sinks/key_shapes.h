// What a column's text can look like within a key: a small automaton for each kind of type, and how a byte of the text
// stands there. For KeyMatcher (could a row have made this key?) and KeyInverse (which rows could?).
//
//   state 0 ──step(byte)──> state ──step(byte)──> ...   the text may end where accepts(state)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "replication/relation.h"

namespace walrelay::sinks::shapes {

enum class Shape : std::uint8_t {
  any,
  integer,
  numeric,
  floating,
  uuid,
  boolean,
  bytea,
  date,
  time,
  timestamp,
};
Shape shape_of(const replication::ColumnType* type);  // null: the type is not known

// States are numbers below state_count(), which is at most 64: a set of them fits into the bits of one word.
inline constexpr int kDead = -1;
int step(Shape shape, int state, unsigned char c);  // kDead: no text goes on like this
bool accepts(Shape shape, int state);
int state_count(Shape shape);

// One byte of a column's text as it stands in the key: itself, or %XX.
struct Unit {
  unsigned char byte;
  std::size_t size;
};
// Nothing where the key's bytes from `at` on cannot have been made of a text.
std::optional<Unit> unit_at(std::string_view key, std::size_t at, bool encoded);

}  // namespace walrelay::sinks::shapes
