// One connection of the test's own to PostgreSQL, by libpq: for the many small statements of a workload, where a psql
// for each would be too slow. Independent of the program's own connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/postgres_server.h"

namespace walrelay::support {

struct SqlTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // as the server prints them; nothing: NULL
};

class SqlConnection {
 public:
  explicit SqlConnection(const std::string& conninfo);  // throws SqlError when the server is away
  ~SqlConnection();
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;

  // Several statements separated by semicolons; the result of the last one. Throws SqlError.
  SqlTable run(const std::string& statements);
  // One statement with text parameters $1, $2 ...
  SqlTable run(const std::string& statement, const std::vector<std::string>& parameters);
  [[nodiscard]] bool alive() const;
  bool roll_back() noexcept;  // after a failure; false: the connection is of no more use

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string quoted(const std::string& text);  // as an SQL literal

}  // namespace walrelay::support
