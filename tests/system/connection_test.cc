// Connection against a real server: queries, errors, COPY with pauses, loss, cancellation.
#include "tests/system/connection_fixture.h"

namespace walrelay::replication {
namespace {

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

// What a query costs is the server's time: also with an error at its end, and not what the reader took to want more.
TEST_F(ConnectionTest, SaysHowLongTheServerTook) {
  using std::chrono::milliseconds;
  std::vector<std::pair<Purpose, std::chrono::nanoseconds>> answered;
  ConnectionOptions options = by_socket(*postgres_);
  options.on_answered = [&](Purpose purpose, std::chrono::nanoseconds took) { answered.emplace_back(purpose, took); };
  Connection connection(loop_, options);
  run_task(loop_, connection.open());
  answered.clear();
  run_task(loop_, connection.query("SELECT pg_sleep(0.05)", "ask"));
  connection.set_purpose(Purpose::sweep);
  (void)error_of(loop_, connection.query("SELECT pg_sleep(0.05), 1/0", "divide"));
  ASSERT_EQ(answered.size(), 2U);
  EXPECT_EQ(answered[0].first, Purpose::catalogue);
  EXPECT_GE(answered[0].second, milliseconds(50));
  EXPECT_EQ(answered[1].first, Purpose::sweep);

  int rows = 0;
  event::Timer resume(loop_, [&] { connection.resume_copy(); });
  const auto once = [&](std::string_view) {
    if (++rows != 1) return true;
    resume.start(milliseconds(500));
    return false;
  };
  const auto begun = std::chrono::steady_clock::now();
  run_task(loop_, connection.copy("COPY (SELECT generate_series(1, 3)) TO STDOUT", once, "copy"));
  const auto all = std::chrono::steady_clock::now() - begun;
  ASSERT_EQ(answered.size(), 3U);
  EXPECT_GE(all, milliseconds(500));
  EXPECT_LE(answered[2].second, all - milliseconds(499));
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

}  // namespace
}  // namespace walrelay::replication
