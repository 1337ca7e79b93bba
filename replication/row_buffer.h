// The values of one row while they are made, for row_text and copy_row.
//
//   values_   [ text ──> the message ] [ null ] [ text ──> arena_ + 0 ] [ text ──> arena_ + 12 ]
//   arena_    "12345.678000{1,2,3}"                 texts that stand nowhere as they are needed
//
// The arena may move while it grows; so a value in it is remembered by its place (owned_) and gets its view at the end
// of the row. Everything keeps its memory from row to row, except after a very large one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"
#include "replication/encoding.h"

namespace walrelay::replication {

class RowBuffer {
 public:
  void start(std::size_t columns);  // forgets the last row

  void set(std::size_t column, ValueState state) { values_[column] = {state, {}}; }

  // Text in the server's encoding that outlives the row; null `encoding`: it is as it shall be.
  void set_text(std::size_t column, std::string_view text, const Encoding* encoding) {
    if (encoding != nullptr && !is_ascii(text)) [[unlikely]] {
      set_converted(column, text, *encoding);
    } else {
      values_[column] = {ValueState::text, text};
    }
  }

  // A value in the binary send format of the column's type. Throws ProtocolError.
  void set_binary(std::size_t column, const RelationColumn& what, std::string_view bytes, const Encoding* encoding);

  // To write a text piece by piece: append to arena() and pass what its size was before. Once for a column.
  [[nodiscard]] std::string& arena() { return arena_; }
  void set_from_arena(std::size_t column, std::size_t offset, const Encoding* encoding);

  Row finish();  // valid until the next start()

 private:
  struct Owned {
    std::size_t column, offset, size;
  };

  void set_converted(std::size_t column, std::string_view text, const Encoding& encoding);
  void own(std::size_t column, std::size_t offset) {
    values_[column].state = ValueState::text;
    owned_[owned_count_++] = {column, offset, arena_.size() - offset};
  }

  std::vector<Value> values_;
  std::string arena_;
  std::vector<Owned> owned_;  // the first owned_count_ are of this row
  std::size_t owned_count_ = 0;
  std::string unconverted_;
};

// For errors: a row that does not fit its relation.
[[noreturn]] void fail_column_count(const Relation& relation, std::size_t columns);

}  // namespace walrelay::replication
