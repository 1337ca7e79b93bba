#include "tests/support/sql_connection.h"

#include <libpq-fe.h>

namespace walrelay::support {

struct SqlConnection::State {
  explicit State(const std::string& conninfo)
      : connection(PQconnectdb((conninfo + " connect_timeout=10 application_name=workload").c_str())) {}
  ~State() { PQfinish(connection); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] SqlTable take(PGresult* raw, const std::string& what) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(raw, &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      throw SqlError(std::string(PQerrorMessage(connection)) + "in: " + what.substr(0, 300));
    }
    SqlTable table;
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      table.columns.emplace_back(PQfname(result.get(), column));
    }
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      auto& cells = table.rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        if (PQgetisnull(result.get(), row, column) != 0) {
          cells.emplace_back(std::nullopt);
        } else {
          cells.emplace_back(std::string(PQgetvalue(result.get(), row, column),
                                         static_cast<std::size_t>(PQgetlength(result.get(), row, column))));
        }
      }
    }
    return table;
  }

  PGconn* connection;
};

SqlConnection::SqlConnection(const std::string& conninfo) : state_(std::make_unique<State>(conninfo)) {
  if (!alive()) throw SqlError(PQerrorMessage(state_->connection));
  PQsetNoticeProcessor(state_->connection, [](void*, const char*) {}, nullptr);
}

SqlConnection::~SqlConnection() = default;

SqlTable SqlConnection::run(const std::string& statements) {
  return state_->take(PQexec(state_->connection, statements.c_str()), statements);
}

SqlTable SqlConnection::run(const std::string& statement, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  PGresult* result = PQexecParams(state_->connection, statement.c_str(), static_cast<int>(values.size()), nullptr,
                                  values.data(), nullptr, nullptr, 0);
  return state_->take(result, statement);
}

bool SqlConnection::alive() const { return PQstatus(state_->connection) == CONNECTION_OK; }

bool SqlConnection::roll_back() noexcept {
  PQclear(PQexec(state_->connection, "ROLLBACK"));
  return PQtransactionStatus(state_->connection) == PQTRANS_IDLE;
}

std::string quoted(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) literal.append(c == '\'' ? 2 : 1, c);
  return literal + "'";
}

}  // namespace walrelay::support
