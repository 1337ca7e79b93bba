// One row of COPY ... TO STDOUT, as it comes in one CopyData.
//
//   text     a\tb\\c\t\N\n                    one line; escapes \b \f \n \r \t \v \\ \123 \x1F; \N is NULL
//   binary   [header] count:2 { length:4 (-1 NULL) value }        the last one: count -1
//
//   header   "PGCOPY\n\377\r\n\0" flags:4 extension length:4 extension      PostgreSQL sends it with the first row
//
// The relation's columns are the COPY's, in its order. A row is borrowed until the next decode() of its object, and as
// long as the CopyData is. `encoding` as in row_text.h. What does not fit is a ProtocolError.
#pragma once

#include <optional>
#include <string_view>

#include "replication/change.h"
#include "replication/encoding.h"
#include "replication/reader.h"
#include "replication/relation.h"
#include "replication/row_buffer.h"

namespace walrelay::replication {

class CopyTextRow {
 public:
  // `line` with its newline.
  Row decode(const Relation& relation, std::string_view line, const Encoding* encoding);

 private:
  RowBuffer buffer_;
};

// Follows one COPY from its header to its trailer, after which it is ready for another one.
class CopyBinaryRow {
 public:
  // Nothing when there is no row in `copy_data`: it was the trailer (ended() is true then), or the header alone.
  std::optional<Row> decode(const Relation& relation, std::string_view copy_data, const Encoding* encoding);

  // The trailer has come: no row is missing.
  [[nodiscard]] bool ended() const { return state_ == State::ended; }
  void reset() { state_ = State::header; }  // after a COPY that broke off

 private:
  enum class State : std::uint8_t { header, rows, ended };

  RowBuffer buffer_;
  State state_ = State::header;
};

}  // namespace walrelay::replication
