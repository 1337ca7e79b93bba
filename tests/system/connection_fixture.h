// What the system tests of a Connection share.
#pragma once

#include "replication/connection.h"
#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {

using support::Postgres;
using support::run_task;
using support::run_until;
using Parameters = std::vector<std::pair<std::string, std::string>>;

inline ConnectionOptions by_socket(const Postgres& postgres) {
  ConnectionOptions options;
  options.parameters = {{"host", postgres.socket_dir()},
                        {"port", std::to_string(postgres.port())},
                        {"user", "postgres"},
                        {"dbname", "postgres"}};
  return options;
}

inline ConnectionOptions by_tcp(const Postgres& postgres, const Parameters& more = {}) {
  ConnectionOptions options;
  options.parameters = {
      {"host", "localhost"}, {"port", std::to_string(postgres.port())}, {"user", "postgres"}, {"dbname", "postgres"}};
  options.parameters.insert(options.parameters.end(), more.begin(), more.end());
  return options;
}

// The error that `task` ends with.
template <class T>
PostgresError error_of(event::Loop& loop, event::Task<T> task) {
  try {
    run_task(loop, std::move(task));
  } catch (const PostgresError& error) {
    return error;
  }
  return {"", false, "(no error)"};
}

inline std::string ask(event::Loop& loop, Connection& connection, const std::string& sql) {
  return run_task(loop, connection.query(sql, "ask")).text(0, 0);
}

class ConnectionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { postgres_ = std::make_unique<Postgres>(); }
  static void TearDownTestSuite() { postgres_.reset(); }
  static std::unique_ptr<Postgres> postgres_;
  event::Loop loop_;
};
inline std::unique_ptr<Postgres> ConnectionTest::postgres_;

}  // namespace walrelay::replication
