// The expressions of one mapping over one version of a relation: SQL, run by SQLite over the values of a row.
//
//   columns of the relation        virtual columns: lets, then what add() was given
//   0 1 2 ... n-1                  n n+1 ...
//   id granularity epoch_value     size part | "NOT is_leased" ...
//
// A write treats a virtual column as any other column of the row: its template names it, its value is text or NULL, and
// it is `unchanged` (or, in an old row, `absent`) where a column that it reads is: unknown is never NULL. One statement
// computes them all; a mapping without expressions never enters SQLite. No clock, no randomness: the same row gives the
// same values for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"
#include "sinks/template.h"

namespace walrelay::sinks {

// An expression that cannot be computed for a row (malformed JSON, ...). The message names the expression and says what
// SQLite says, without a value of the row.
class EvaluationError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Expressions {
 public:
  // `let` in order: name and expression; an expression may use the columns, the captures (as text) and the lets before
  // it. The relation is borrowed for the object's life. Throws std::invalid_argument with a clause that names the let,
  // what is wrong with it and what may have been meant.
  Expressions(const replication::Relation& relation, const Captures& captures,
              const std::vector<std::pair<std::string, std::string>>& let);
  ~Expressions();
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;

  // Adds an expression over columns, captures and lets; gives its virtual column. The same text gives the same one; the
  // bare name of a column or a let gives that column itself. Throws std::invalid_argument with a clause that says what
  // is wrong (a syntax error, an unknown column or function with what may have been meant, a clock, an aggregate of the
  // row itself). Not after compile().
  std::size_t add(const std::string& text);

  [[nodiscard]] std::optional<std::size_t> find_let(const std::string& name) const;  // its virtual column
  // The columns of the relation that a column reads, ascending: of a real one itself.
  [[nodiscard]] const std::vector<std::size_t>& reads(std::size_t column) const;
  // What the user wrote for a virtual column, for messages: "part", "NOT is_leased".
  [[nodiscard]] const std::string& text_of(std::size_t column) const;

  void compile();                    // after the last add(), before the first evaluate()
  [[nodiscard]] bool empty() const;  // no virtual column

  // The row with its virtual columns behind it. Each side has its own memory: the result stays valid until the next
  // evaluate() of the same side, as long as the row itself. An empty row gives an empty one. Throws EvaluationError.
  enum class Side : std::uint8_t { before, now };
  replication::Row evaluate(replication::Row row, Side side);
  // Whether the last row of the side has a number there, in a virtual column: for those to whom 1 is not "1".
  [[nodiscard]] bool is_number(std::size_t column, Side side = Side::now) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sinks
