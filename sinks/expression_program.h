// Some of the virtual columns of a relation as one statement, and one run of it.
//
//   WITH "let 0" AS (SELECT ?1 AS "granularity", ?2 AS "epoch_value", ?3 AS "queue"),         columns and captures
//        "let 1" AS (SELECT "granularity", "epoch_value", "queue", (CASE ...) AS "size" FROM "let 0" AS row),
//        "let 2" AS (SELECT ..., "size", (floordiv(epoch_value, size)) AS "part" FROM "let 1" AS row)
//   SELECT "size", "part", (queue || part) FROM "let 2" AS row
//
// SQLite puts the lets into what uses them and reads the columns of "let 0" from the parameters: no table, no copy.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"
#include "sinks/expression_engine.h"
#include "sinks/expression_values.h"
#include "sinks/sqlite.h"

namespace walrelay::sinks {

// An expression that was checked; what it reads itself are places in lists: the relation's columns, the captures, the
// virtual columns.
struct VirtualColumn {
  std::string name;  // of a let; else empty
  std::string text;  // for people
  std::string sql;
  std::vector<std::size_t> columns, captures, lets;
  std::vector<std::size_t> reads;  // columns, also those that its lets read; ascending
};

// What expressions are made over. Borrowed by programs.
struct ExpressionSources {
  const replication::Relation& relation;
  std::vector<std::pair<std::string, std::string>> captures;
  std::vector<VirtualColumn> columns;
};

// The values of one run: texts one behind the other.
struct ComputedValues {
  struct Text {
    std::size_t column = 0;  // virtual
    bool null = true, number = false;
    std::size_t begin = 0, size = 0;
  };
  std::vector<Text> values;
  std::string bytes;
};

class ExpressionProgram {
 public:
  // Throws std::invalid_argument with SQLite's words.
  ExpressionProgram(const ExpressionSources& sources, const std::vector<std::size_t>& wanted);

  // The columns that it reads, ascending. run() needs their values.
  [[nodiscard]] const std::vector<std::size_t>& reads() const { return reads_; }

  // Appends a value for each column that was wanted. Gives an empty text, or what was wrong; nothing is appended then.
  std::string run(replication::Row row, RewrittenTexts& rewritten, ComputedValues& out);

 private:
  void prepare(const std::string& sql);
  int bind(replication::Row row, RewrittenTexts& rewritten);
  void take(sqlite3_stmt* statement, ComputedValues& out) const;

  std::vector<std::size_t> wanted_, reads_;
  std::vector<const replication::ColumnType*> types_;  // of reads_
  sqlite::Statement statement_;
};

}  // namespace walrelay::sinks
