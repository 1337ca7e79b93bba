// A value as PostgreSQL prints it, bound to a statement by its type.
//
//   boolean              0, 1
//   integers, oid        integer
//   real, double         real; NaN and the infinities as text
//   numeric              integer or real where no digit is lost, else text
//   timestamps           2026-02-05T10:00:00.5Z, without Z for those without time zone; infinity and BC as they are
//   bytea                blob
//   everything else      text as it is, dates and JSON too
//
// numeric with digits behind the point is real even if they are zeros (5.00), so that a division of amounts does not
// become one of integers where an amount happens to be a whole number.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "replication/relation.h"
#include "sinks/sqlite.h"

namespace walrelay::sinks {

// Memory for the texts that differ from PostgreSQL's; never longer than those.
class RewrittenTexts {
 public:
  void begin(std::size_t most) {
    if (memory_.size() < most) memory_.resize(most);
    used_ = 0;
  }
  void put(char byte) { memory_[used_++] = byte; }
  void put(std::string_view text) { used_ += text.copy(memory_.data() + used_, text.size()); }
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::string_view since(std::size_t begin) const { return {memory_.data() + begin, used_ - begin}; }

 private:
  std::string memory_;
  std::size_t used_ = 0;
};

// Gives SQLite's code. `type` may be null: not known. `text` and what stands in `rewritten` must stay until the
// statement is reset.
int bind_value(sqlite3_stmt* statement, int parameter, const replication::ColumnType* type, std::string_view text,
               RewrittenTexts& rewritten);

// A number as expressions give it: with the fewest digits that read back as the same one; whole numbers below 10^15
// as integers.
void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, double number);

}  // namespace walrelay::sinks
