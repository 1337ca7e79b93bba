// SQLite as the engine of expressions: two private databases in memory for each thread, and no way out of them.
//
//   checking    tables that look like the rows of a relation, made for a moment, to see what an expression reads
//   computing   no table at all; the statements of every Expressions object of the thread
//
// Both have no file, no clock, no extensions and no virtual tables but json_each and json_tree. The clock matters: a
// row's own text may be 'now', which SQLite's date functions would take for a question.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/sqlite.h"

namespace walrelay::sinks {

class ExpressionEngine {
 public:
  static ExpressionEngine& of_thread();  // opened at its first use; throws std::runtime_error

  ExpressionEngine(const ExpressionEngine&) = delete;
  ExpressionEngine& operator=(const ExpressionEngine&) = delete;

  [[nodiscard]] sqlite3* checking() const { return checking_.get(); }
  [[nodiscard]] sqlite3* computing() const { return computing_.get(); }
  [[nodiscard]] const std::vector<std::string>& functions() const { return functions_; }  // for "did you mean"
  // Whether the function may give another value for the same arguments, or is not for expressions.
  [[nodiscard]] bool forbids(std::string_view function) const { return forbidden_.contains(std::string(function)); }

  // Steps once and resets. `take` is called with the statement on its row, and the result is SQLITE_ROW; any other is a
  // failure, which failure() explains.
  template <typename Take>
  int run(sqlite3_stmt* statement, const Take& take) {
    const Reset reset{statement};
    begin();
    const int result = sqlite3_step(statement);
    if (result != SQLITE_ROW) message_ = sqlite3_errmsg(computing_.get());
    if (asked_for_time()) return SQLITE_ERROR;
    if (result == SQLITE_ROW) take(statement);
    return result;
  }
  // What was wrong with the last run, without a value of the row.
  [[nodiscard]] std::string failure(int result) const;

 private:
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }
  };

  ExpressionEngine();
  static void begin();
  static bool asked_for_time();
  void list_functions();

  sqlite::Connection checking_, computing_;
  std::vector<std::string> functions_;
  std::set<std::string> forbidden_;
  std::string message_;
};

}  // namespace walrelay::sinks
