// The vocabulary in which changes are handed to a sink. Everything is borrowed and dies when the call returns.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "replication/lsn.h"
#include "replication/relation.h"

namespace walrelay::replication {

// One column of one row. `unchanged` is the third state beside NULL and a value: an UPDATE did not touch this TOASTed
// column and the server did not send it. `absent` stands in a key-only old row for the columns outside the identity:
// the server sends them as NULL although they are not (protocol fact T4), so they must not be taken for NULL.
enum class ValueState : std::uint8_t { null, unchanged, absent, text };

struct Value {
  ValueState state = ValueState::null;
  std::string_view text;  // PostgreSQL's own text form, in UTF-8 (as sent for SQL_ASCII databases)

  [[nodiscard]] bool has_text() const { return state == ValueState::text; }
};

// As many values as the relation has columns, in its order.
using Row = std::span<const Value>;

enum class Operation : std::uint8_t { insert, update, remove };

// A transaction as Begin announces it.
struct Transaction {
  std::uint32_t xid = 0;
  Lsn commit = Lsn::invalid;        // start of its commit record (Begin's final_lsn): names the transaction
  std::int64_t commit_time_us = 0;  // the server's clock, microseconds since the Unix epoch
  std::string_view origin = {};     // of which history the positions are: those of two origins cannot be compared
};

struct Change {
  Operation operation = Operation::insert;
  const Relation* relation = nullptr;
  Row new_row;                               // insert, update
  Row old_row;                               // remove: always; update: only when the identity changed or is FULL
  bool old_full = false;                     // old_row holds every column (identity FULL), not only the identity
  const Transaction* transaction = nullptr;  // which it is a part of; null where nobody asks
  std::uint64_t number = 0;                  // of the change within it, from 1: the same when it comes again
};

}  // namespace walrelay::replication
