// What the tests of a Connection against a fake server share: options, the error of a task, and tables of faults.
#pragma once

#include "replication/connection.h"
#include "tests/support/fake_postgres.h"
#include "tests/support/loop_task.h"

namespace walrelay::replication {

namespace backend = support::backend;
using std::chrono::milliseconds;
using support::FakePostgres;
using support::FakeSession;
using support::run_task;
using support::run_until;

inline const std::string kWelcome = backend::welcome();
inline const std::string kAnswer = backend::rows({"a"}, {{"1"}}) + backend::ready();

inline ConnectionOptions options_for(const std::string& ports, milliseconds timeout = milliseconds(10000)) {
  ConnectionOptions options;
  std::string hosts = "127.0.0.1";
  for (const char c : ports) hosts += c == ',' ? ",127.0.0.1" : "";
  options.parameters = {{"host", hosts}, {"port", ports}, {"user", "u"}, {"dbname", "app"}, {"sslmode", "disable"}};
  options.connect_timeout = timeout;
  return options;
}

template <class T>
PostgresError error_of(event::Loop& loop, event::Task<T> task) {
  try {
    run_task(loop, std::move(task));
  } catch (const PostgresError& error) {
    return error;
  }
  return {"", false, "(no error)"};
}

struct Fault {
  const char* name;
  std::function<void(FakeSession&)> act;  // instead of an answer
  std::string message;                    // what the error says, a part of it
  std::string sqlstate = {};
};
inline void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

inline std::string test_name(const testing::TestParamInfo<Fault>& fault) { return fault.param.name; }

}  // namespace walrelay::replication
