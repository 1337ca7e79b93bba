// The statements of a workload's session: one transaction after the other, from a seed (workload.h).
#pragma once

#include <string>
#include <vector>

#include "tests/support/random_values.h"
#include "tests/support/sql_connection.h"

namespace walrelay::support {

class RandomStatements {
 public:
  // Touches only rows whose number leaves `session` when divided by `sessions`.
  RandomStatements(std::uint64_t seed, int session, int sessions)
      : random_(seed), session_(session), sessions_(sessions) {}

  std::string transaction();  // BEGIN ... COMMIT or ROLLBACK
  // A change of the tables' columns, or a table dropped and made anew, as one or two transactions; asks the catalogue
  // what there is.
  std::vector<std::string> definition(SqlConnection& connection, bool inexact_types);
  RandomValues& random() { return random_; }

 private:
  std::string statement();
  std::string item();
  std::string new_item(int id);
  std::string swapped_items();
  std::string many_items();
  std::string pair();
  std::string doc();
  std::string event();
  std::string entry();
  std::string family();
  std::string churn();
  std::string twins();
  std::string truncated();
  std::string column_change(const std::string& table, const std::vector<std::string>& columns, bool inexact_types);
  std::vector<std::string> made_anew();
  int own(int highest);  // a row number of this session
  std::string odd_key();

  RandomValues random_;
  int session_, sessions_;
};

}  // namespace walrelay::support
