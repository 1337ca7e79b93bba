// Connection against a real server: the pinned session, errors, COPY with pauses, loss, several hosts, TLS.
#include "replication/connection.h"

#include <stdlib.h>

#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {
namespace {

using support::Postgres;
using support::run_task;
using support::run_until;
using Parameters = std::vector<std::pair<std::string, std::string>>;

ConnectionOptions by_socket(const Postgres& postgres) {
  ConnectionOptions options;
  options.parameters = {{"host", postgres.socket_dir()},
                        {"port", std::to_string(postgres.port())},
                        {"user", "postgres"},
                        {"dbname", "postgres"}};
  return options;
}

ConnectionOptions by_tcp(const Postgres& postgres, const Parameters& more = {}) {
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

std::string ask(event::Loop& loop, Connection& connection, const std::string& sql) {
  return run_task(loop, connection.query(sql, "ask")).text(0, 0);
}

class ConnectionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { postgres_ = std::make_unique<Postgres>(); }
  static void TearDownTestSuite() { postgres_.reset(); }
  static std::unique_ptr<Postgres> postgres_;
  event::Loop loop_;
};
std::unique_ptr<Postgres> ConnectionTest::postgres_;

struct Setting {
  const char* name;
  const char* value;
};
constexpr Setting kPinned[] = {{"TimeZone", "UTC"},
                               {"DateStyle", "ISO, MDY"},
                               {"IntervalStyle", "postgres"},
                               {"bytea_output", "hex"},
                               {"extra_float_digits", "3"},
                               {"lc_monetary", "C"},
                               {"search_path", ""},
                               {"row_security", "off"},
                               {"statement_timeout", "0"},
                               {"lock_timeout", "0"},
                               {"idle_in_transaction_session_timeout", "0"},
                               {"idle_session_timeout", "0"},
                               {"client_encoding", "SQL_ASCII"},
                               {"application_name", "walrelay"}};

TEST_F(ConnectionTest, PinsTheSessionAgainstTheRolesOwnSettings) {
  postgres_->sql(
      "CREATE ROLE stubborn SUPERUSER LOGIN;"
      "ALTER ROLE stubborn SET TimeZone = 'Asia/Tokyo'; ALTER ROLE stubborn SET DateStyle = 'German, DMY';"
      "ALTER ROLE stubborn SET IntervalStyle = 'iso_8601'; ALTER ROLE stubborn SET bytea_output = 'escape';"
      "ALTER ROLE stubborn SET extra_float_digits = 0; ALTER ROLE stubborn SET search_path = public;"
      "ALTER ROLE stubborn SET statement_timeout = '1min'; ALTER ROLE stubborn SET lock_timeout = '1min';"
      "ALTER ROLE stubborn SET idle_in_transaction_session_timeout = '1min';"
      "ALTER ROLE stubborn SET idle_session_timeout = '1min'; ALTER ROLE stubborn SET row_security = on;"
      "ALTER ROLE stubborn SET client_encoding = 'LATIN1'");
  ASSERT_EQ(setenv("PGOPTIONS", "-c work_mem=5MB -c TimeZone=Asia/Tokyo", 1), 0);
  ASSERT_EQ(setenv("PGCLIENTENCODING", "LATIN9", 1), 0);
  for (const bool replication : {false, true}) {
    ConnectionOptions options = by_socket(*postgres_);
    options.parameters.emplace_back("user", "stubborn");
    options.replication = replication;
    Connection connection(loop_, options);
    run_task(loop_, connection.open());
    for (const Setting& setting : kPinned) {
      EXPECT_EQ(ask(loop_, connection, "SHOW " + std::string(setting.name)), setting.value)
          << setting.name << (replication ? " for replication" : "");
    }
    EXPECT_EQ(ask(loop_, connection, "SHOW work_mem"), "5MB");  // the user's other options are kept
    EXPECT_EQ(connection.parameter("server_encoding"), "UTF8");
  }
  unsetenv("PGOPTIONS");
  unsetenv("PGCLIENTENCODING");
}

TEST_F(ConnectionTest, AnswersQueries) {
  Connection connection(loop_, by_tcp(*postgres_));
  EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(error_of(loop_, connection.query("SELECT 1", "ask")).lost(), true);
  run_task(loop_, connection.open());
  EXPECT_TRUE(connection.is_open());
  EXPECT_EQ(connection.peer(), "localhost:" + std::to_string(postgres_->port()) + "/postgres");
  EXPECT_EQ(connection.server_version() / 10000, Postgres::version());
  EXPECT_EQ(ask(loop_, connection, "SELECT pg_backend_pid()"), std::to_string(connection.backend_pid()));

  const Result rows = run_task(
      loop_, connection.query("SELECT $1::int + 1 AS a, $2::text AS b, $3 AS c", {"41", std::nullopt, ""}, "ask"));
  EXPECT_EQ(rows.columns(), (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(rows.rows(), 1U);
  EXPECT_EQ(rows.at(0, 0), "42");
  EXPECT_EQ(rows.at(0, 1), std::nullopt);
  EXPECT_EQ(rows.at(0, 2), "");

  const auto several = run_task(loop_, connection.query_all("SELECT 1; ; CREATE TEMP TABLE x (); SELECT 2", "ask"));
  ASSERT_EQ(several.size(), 3U);
  EXPECT_EQ(several[0].text(0, 0) + several[2].text(0, 0), "12");
  EXPECT_TRUE(run_task(loop_, connection.query("", "ask")).empty());

  const std::string large = ask(loop_, connection, "SELECT repeat('x', 5000000)");
  EXPECT_EQ(large.size(), 5000000U);
  const std::string sql = "SELECT length('" + std::string(8000000, 'y') + "')";  // more than the socket takes at once
  EXPECT_EQ(ask(loop_, connection, sql), "8000000");
}

TEST_F(ConnectionTest, SaysWhatTheServerSaysAndGoesOn) {
  Connection connection(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  const PostgresError missing = error_of(loop_, connection.query("SELECT 1 FROM public.nowhere", "look"));
  EXPECT_STREQ(missing.what(), "look: relation \"public.nowhere\" does not exist (42P01)");
  EXPECT_EQ(missing.sqlstate(), "42P01");
  EXPECT_FALSE(missing.lost());
  const PostgresError hinted = error_of(loop_, connection.query("SELECT public.nothing(1)", "call"));
  EXPECT_STREQ(hinted.what(),
               "call: function public.nothing(integer) does not exist (42883). No function matches the given name and "
               "argument types. You might need to add explicit type casts.");
  EXPECT_TRUE(connection.is_open());

  // The transaction that the statements began is over, so the next one is not refused with 25P02.
  EXPECT_EQ(error_of(loop_, connection.query("BEGIN; SELECT 1/0; SELECT 2", "divide")).sqlstate(), "22012");
  EXPECT_EQ(ask(loop_, connection, "SELECT 3"), "3");
  run_task(loop_, connection.query("BEGIN", "begin"));
  EXPECT_EQ(error_of(loop_, connection.query("SELECT 1/0", "divide")).sqlstate(), "22012");
  EXPECT_EQ(ask(loop_, connection,
                "SELECT pg_current_xact_id_if_assigned() IS NULL AND now() = "
                "statement_timestamp()"),
            "t");
}

TEST_F(ConnectionTest, NoticesStayOffStandardError) {
  Connection connection(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  testing::internal::CaptureStderr();
  run_task(loop_, connection.query("DO $$ BEGIN RAISE WARNING 'loud'; END $$", "shout"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ConnectionTest, ACopyInAQueryClosesTheConnection) {
  for (const char* sql : {"COPY (SELECT 1) TO STDOUT", "CREATE TEMP TABLE t (a int); COPY t FROM STDIN"}) {
    Connection connection(loop_, by_socket(*postgres_));
    run_task(loop_, connection.open());
    const PostgresError error = error_of(loop_, connection.query(sql, "ask"));
    EXPECT_STREQ(error.what(), "ask: a COPY that was not expected; connection closed");
    EXPECT_FALSE(connection.is_open());
  }
}

TEST_F(ConnectionTest, CopiesRowsBetweenOtherStatements) {
  Connection connection(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  std::vector<std::string> rows;
  const auto others = run_task(loop_, connection.copy(
                                          "SELECT 'before'; COPY (SELECT generate_series(1, 3)) TO STDOUT; "
                                          "SELECT 'after'",
                                          [&](std::string_view row) {
                                            rows.emplace_back(row);
                                            return true;
                                          },
                                          "copy"));
  EXPECT_EQ(rows, (std::vector<std::string>{"1\n", "2\n", "3\n"}));
  ASSERT_EQ(others.size(), 2U);
  EXPECT_EQ(others[0].text(0, 0), "before");
  EXPECT_EQ(others[1].text(0, 0), "after");
  EXPECT_EQ(ask(loop_, connection, "SELECT 1"), "1");
}

TEST_F(ConnectionTest, ACopyPausesAndGoesOn) {
  Connection connection(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  constexpr int kRows = 20000;
  int rows = 0, pauses = 0;
  event::Deferred resume(loop_, [&] { connection.resume_copy(); });
  const auto each = [&](std::string_view) {
    ++rows;
    if (rows % 3000 == 0) {  // resumed later
      ++pauses;
      resume.schedule();
      return false;
    }
    if (rows % 1000 == 0) connection.resume_copy();  // resumed before it even paused
    return rows % 1000 != 0;
  };
  run_task(loop_, connection.copy(
                      "COPY (SELECT repeat('x', 100) FROM generate_series(1, " + std::to_string(kRows) + ")) TO STDOUT",
                      each, "copy"));
  EXPECT_EQ(rows, kRows);
  EXPECT_EQ(pauses, kRows / 3000);
}

TEST_F(ConnectionTest, WhatTheRowHandlerThrowsComesOut) {
  Connection connection(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  const auto thrower = [](std::string_view) -> bool { throw std::logic_error("bad row"); };
  EXPECT_THROW(run_task(loop_, connection.copy("COPY (SELECT generate_series(1, 100000)) TO STDOUT", thrower, "copy")),
               std::logic_error);
  EXPECT_FALSE(connection.is_open());
  run_task(loop_, connection.open());  // and can be opened again
  EXPECT_EQ(ask(loop_, connection, "SELECT 1"), "1");
}

TEST_F(ConnectionTest, AnErrorInTheMiddleOfACopy) {
  Connection connection(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  int rows = 0;
  const auto count = [&](std::string_view) { return ++rows > 0; };
  const PostgresError error = error_of(
      loop_, connection.copy("BEGIN; COPY (SELECT 1/(500 - g) FROM generate_series(1, 1000) g) TO STDOUT; COMMIT",
                             count, "copy"));
  EXPECT_STREQ(error.what(), "copy: division by zero (22012)");
  EXPECT_EQ(rows, 499);
  EXPECT_EQ(ask(loop_, connection, "SELECT 1"), "1");
}

TEST_F(ConnectionTest, TellsOnceWhyAnIdleConnectionWasLost) {
  Connection connection(loop_, by_tcp(*postgres_));
  run_task(loop_, connection.open());
  std::vector<std::string> losses;
  connection.on_lost = [&](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const PostgresError& lost) {
      EXPECT_EQ(lost.sqlstate(), "57P01");
      EXPECT_TRUE(lost.lost());
      losses.emplace_back(lost.what());
    }
  };
  postgres_->sql("SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ")");
  run_until(loop_, [&] { return !losses.empty(); });
  EXPECT_FALSE(connection.is_open());
  const std::string expected =
      "connection to " + connection.peer() + " lost: terminating connection due to administrator command (57P01)";
  EXPECT_EQ(losses, std::vector<std::string>{expected});
  EXPECT_TRUE(error_of(loop_, connection.query("SELECT 1", "ask")).lost());
  run_task(loop_, connection.open());
  EXPECT_EQ(losses.size(), 1U);
}

TEST_F(ConnectionTest, AQueryLearnsThatItsBackendWasEnded) {
  Connection connection(loop_, by_tcp(*postgres_)), killer(loop_, by_socket(*postgres_));
  run_task(loop_, connection.open());
  run_task(loop_, killer.open());
  bool over = false;
  std::exception_ptr outcome;
  struct Local {
    static event::Task<> wait(Connection& on) {
      auto asking = on.query("SELECT pg_sleep(1000)", "sleep");
      co_await std::move(asking);
    }
  };
  const event::Job job(loop_, Local::wait(connection), [&](std::exception_ptr error) {
    over = true;
    outcome = error;
  });
  run_task(loop_, killer.query("SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ")", "end"));
  run_until(loop_, [&] { return over; });
  try {
    std::rethrow_exception(outcome);
  } catch (const PostgresError& error) {
    EXPECT_STREQ(error.what(), "sleep: terminating connection due to administrator command (57P01)");
    EXPECT_TRUE(error.lost());
  }
  EXPECT_FALSE(connection.is_open());
}

TEST_F(ConnectionTest, TriesEveryHostAndSaysWhatEachOneAnswered) {
  const std::string port = std::to_string(postgres_->port());
  ConnectionOptions options = by_tcp(*postgres_);
  options.parameters[0] = {"host", "127.0.0.1,localhost," + postgres_->socket_dir()};
  options.parameters[1] = {"port", "1," + port + "," + port};
  Connection connection(loop_, options);
  run_task(loop_, connection.open());
  EXPECT_EQ(ask(loop_, connection, "SELECT inet_server_addr() IS NOT NULL"), "t");

  options.parameters[0] = {"host", "127.0.0.1,no.such.host.invalid,localhost"};
  options.parameters[1] = {"port", "1," + port + "," + port};
  options.parameters.emplace_back("dbname", "nowhere");
  Connection nowhere(loop_, options);
  const PostgresError error = error_of(loop_, nowhere.open());
  EXPECT_EQ(error.sqlstate(), "3D000");
  EXPECT_TRUE(error.lost());
  const std::string message = error.what();
  EXPECT_THAT(message, testing::StartsWith("connect to 127.0.0.1:1,no.such.host.invalid:" + port +
                                           ",localhost:" + port + "/nowhere: "));
  EXPECT_THAT(message, testing::HasSubstr("resolve \"no.such.host.invalid\": "));
  EXPECT_THAT(message, testing::HasSubstr("127.0.0.1 (127.0.0.1): Connection refused"));
  EXPECT_THAT(message, testing::HasSubstr("database \"nowhere\" does not exist (3D000)"));
  EXPECT_THAT(message, testing::Not(testing::HasSubstr("\n")));
}

TEST_F(ConnectionTest, HonoursTargetSessionAttributes) {
  for (const char* wanted : {"read-write", "primary", "prefer-standby", "any"}) {
    Connection connection(loop_, by_tcp(*postgres_, {{"target_session_attrs", wanted}}));
    run_task(loop_, connection.open());
    EXPECT_TRUE(connection.is_open()) << wanted;
  }
  Connection connection(loop_, by_tcp(*postgres_, {{"target_session_attrs", "standby"}}));
  EXPECT_THAT(error_of(loop_, connection.open()).what(), testing::HasSubstr("server is not in hot standby mode"));
}

TEST_F(ConnectionTest, RefusesListsThatDoNotFit) {
  ConnectionOptions options = by_tcp(*postgres_);
  options.parameters[0] = {"host", "a,b,c"};
  options.parameters[1] = {"port", "1,2"};
  Connection connection(loop_, options);
  const PostgresError error = error_of(loop_, connection.open());
  EXPECT_STREQ(error.what(),
               "connect to PostgreSQL: there are 2 ports for 3 hosts; give one port, or one for each host");
  EXPECT_FALSE(error.lost());
}

TEST_F(ConnectionTest, AsksForThePasswordEachTimeAndNeverShowsIt) {
  postgres_->sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE careful LOGIN PASSWORD 'right-horse'");
  postgres_->set_hba({"host all careful all scram-sha-256"});
  ConnectionOptions options = by_tcp(*postgres_, {{"user", "careful"}});
  std::string password = "wrong-battery";
  int asked = 0;
  options.password = [&] {
    ++asked;
    return password;
  };
  Connection connection(loop_, options);
  const PostgresError wrong = error_of(loop_, connection.open());
  EXPECT_EQ(wrong.sqlstate(), "28P01");
  EXPECT_EQ(std::string(wrong.what()), "connect to localhost:" + std::to_string(postgres_->port()) + "/postgres: " +
                                           "password authentication failed for user \"careful\" (28P01)");
  password = "right-horse";
  const int before = asked;
  run_task(loop_, connection.open());
  EXPECT_EQ(asked, before + 1);
  options.password = []() -> std::string { throw std::runtime_error("cannot read /run/secrets/pg"); };
  Connection unreadable(loop_, options);
  const PostgresError error = error_of(loop_, unreadable.open());
  EXPECT_THAT(error.what(), testing::EndsWith("/postgres: cannot read /run/secrets/pg"));
  EXPECT_TRUE(error.lost());
}

event::Task<> whole_life(Connection& connection, int& rows) {
  auto opening = connection.open();
  co_await std::move(opening);
  auto asking = connection.query("SELECT repeat('x', 200000)", "ask");
  co_await std::move(asking);
  const Connection::CopyRow each = [&rows](std::string_view) { return ++rows > 0; };
  auto copying = connection.copy("COPY (SELECT generate_series(1, 30000)) TO STDOUT", each, "copy");
  co_await std::move(copying);
}

// Destroys the task after 0, 1, 2 ... turns of the loop, until it gets to its end; what is left must be usable again.
TEST_F(ConnectionTest, IsClosedWhenAnOperationIsCancelledAtAnyInstant) {
  bool finished = false;
  Connection connection(loop_, by_tcp(*postgres_));
  for (int turns = 0; !finished; ++turns) {
    ASSERT_LT(turns, 100000);
    int rows = 0;
    auto job = std::make_unique<event::Job>(loop_, whole_life(connection, rows), nullptr);
    event::Timer alive(loop_, [] {});
    alive.start(std::chrono::seconds(20));
    for (int turn = 0; turn < turns && !job->finished(); ++turn) uv_run(loop_.raw(), UV_RUN_ONCE);
    finished = job->finished();
    job.reset();
    ASSERT_EQ(finished, rows == 30000);
  }
  EXPECT_TRUE(connection.is_open());
  EXPECT_EQ(ask(loop_, connection, "SELECT 1"), "1");
}

TEST(ConnectionToAStoppedServer, EndsEachConnectionWithTheServersWords) {
  Postgres postgres;
  event::Loop loop;
  Connection idle(loop, by_tcp(postgres)), asking(loop, by_tcp(postgres));
  run_task(loop, idle.open());
  run_task(loop, asking.open());
  std::string loss;
  idle.on_lost = [&](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const PostgresError& lost) {
      loss = lost.what();
    }
  };
  EXPECT_LT(postgres.stop("fast"), std::chrono::seconds(5));
  run_until(loop, [&] { return !loss.empty(); });
  EXPECT_THAT(loss, testing::EndsWith(" lost: terminating connection due to administrator command (57P01)"));
  // Not told by the loop yet: the query itself runs into it.
  const PostgresError gone = error_of(loop, asking.query("SELECT 1", "ask"));
  EXPECT_TRUE(gone.lost());
  const PostgresError refused = error_of(loop, idle.open());
  EXPECT_TRUE(refused.lost());
  EXPECT_EQ(refused.sqlstate(), "");
  EXPECT_THAT(refused.what(), testing::HasSubstr("Connection refused"));
  postgres.start();
  run_task(loop, idle.open());
  EXPECT_EQ(ask(loop, idle, "SELECT 1"), "1");
}

TEST(ConnectionToALatin1Database, GetsItsBytesAsTheyAre) {
  const Postgres postgres({.initdb = {"--encoding=LATIN1", "--locale=C"}});
  for (const bool replication : {false, true}) {
    event::Loop loop;
    ConnectionOptions options = by_socket(postgres);
    options.replication = replication;
    Connection connection(loop, options);
    run_task(loop, connection.open());
    EXPECT_EQ(connection.parameter("server_encoding"), "LATIN1");
    EXPECT_EQ(ask(loop, connection, "SELECT chr(233)"), "\xE9");
    EXPECT_EQ(ask(loop, connection, "SELECT ascii('\xE9')"), "233");
  }
}

// A server certificate for `localhost`, signed by itself.
void make_certificate(Postgres& postgres, const std::string& folder) {
  const auto made = support::run_program(
      folder, {"openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-addext",
               "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.crt"});
  ASSERT_EQ(made.status, 0) << made.errors;
  for (const char* name : {"server.key", "server.crt"}) postgres.place(name, support::read_file(folder + "/" + name));
  postgres.set("ssl", "on");
}

TEST(ConnectionOverTls, ChecksTheNameAndLosesNothingThatOpenSslHolds) {
  Postgres postgres;
  const support::TemporaryFolder folder("connection_tls");
  make_certificate(postgres, folder.path());
  postgres.set_hba({"hostssl all all all trust", "host all all all reject"});
  event::Loop loop;
  const std::string root = folder.path() + "/server.crt";
  Connection verified(loop, by_tcp(postgres, {{"sslmode", "verify-full"}, {"sslrootcert", root}}));
  run_task(loop, verified.open());
  EXPECT_EQ(ask(loop, verified, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t");
  EXPECT_EQ(ask(loop, verified, "SELECT repeat('x', 3000000)").size(), 3000000U);
  std::size_t bytes = 0;
  const auto count = [&](std::string_view row) {
    bytes += row.size();
    return true;
  };
  run_task(loop,
           verified.copy("COPY (SELECT repeat('x', 3000) FROM generate_series(1, 5000)) TO STDOUT", count, "copy"));
  EXPECT_EQ(bytes, 5000U * 3001U);

  ConnectionOptions wrong_name = by_tcp(postgres, {{"sslmode", "verify-full"}, {"sslrootcert", root}});
  wrong_name.parameters[0] = {"host", "127.0.0.1"};
  Connection suspicious(loop, wrong_name);
  EXPECT_THAT(error_of(loop, suspicious.open()).what(), testing::HasSubstr("does not match host name \"127.0.0.1\""));
  Connection plain(loop, by_tcp(postgres, {{"sslmode", "disable"}}));
  const PostgresError rejected = error_of(loop, plain.open());
  EXPECT_EQ(rejected.sqlstate(), "28000");
  EXPECT_THAT(rejected.what(), testing::HasSubstr("no encryption"));
}

}  // namespace
}  // namespace walrelay::replication
