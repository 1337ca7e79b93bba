// Queries and COPY on a connection whose server misbehaves in their midst.
#include "tests/loop/replication/connection_faults.h"

namespace walrelay::replication {
namespace {

class QueryFault : public testing::TestWithParam<Fault> {};

TEST_P(QueryFault, EndsTheConnection) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string&) { GetParam().act(session); };
  Connection connection(loop, options_for(std::to_string(server.port())));
  int losses = 0;
  connection.on_lost = [&](std::exception_ptr) { ++losses; };
  run_task(loop, connection.open());
  const PostgresError error = error_of(loop, connection.query("SELECT 1", "ask"));
  EXPECT_THAT(error.what(), testing::StartsWith("ask: "));
  EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
  EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
  EXPECT_EQ(error.sqlstate(), GetParam().sqlstate);
  EXPECT_TRUE(error.lost());
  EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(losses, 0);  // whoever asked was told
}

INSTANTIATE_TEST_SUITE_P(
    Faults, QueryFault,
    testing::Values(
        Fault{"EndWithoutAWord", [](FakeSession& s) { s.close(); },
              "/app lost: server closed the connection unexpectedly"},
        Fault{"Reset", [](FakeSession& s) { s.reset(); }, "server closed the connection unexpectedly"},
        Fault{"EndInTheMiddleOfAMessage",
              [](FakeSession& s) {
                s.send(kAnswer.substr(0, 20));
                s.close();
              },
              "server closed the connection unexpectedly"},
        Fault{"EndAfterTheRows",
              [](FakeSession& s) {
                s.send(backend::rows({"a"}, {{"1"}}));
                s.close();
              },
              "server closed the connection unexpectedly"},
        Fault{"Garbage",
              [](FakeSession& s) {
                s.send("\x7F\xFF\xFF\xFF\xFFgarbage");
                s.close();
              },
              "lost synchronization with server"},
        Fault{"Fatal",
              [](FakeSession& s) {
                s.send(backend::error("FATAL", "57P01", "terminating connection due to administrator command"));
                s.close();
              },
              "ask: terminating connection due to administrator command (57P01)", "57P01"},
        Fault{"FatalWithTheLineStillOpen",
              [](FakeSession& s) { s.send(backend::error("FATAL", "57P02", "terminating because of crash")); },
              "ask: terminating because of crash (57P02)", "57P02"},
        Fault{"CopyBoth", [](FakeSession& s) { s.send(backend::copy_both()); }, "a COPY that was not expected"}),
    test_name);

TEST(Query, AnErrorReplyLeavesTheConnectionOpen) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string& sql) {
    session.send(sql == "bad" ? backend::notice("mind") + backend::error("ERROR", "42601", "syntax\nerror", "There.") +
                                    backend::ready()
                              : backend::parameter("application_name", "x") + kAnswer);
  };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  const PostgresError error = error_of(loop, connection.query("bad", {}, "ask"));
  EXPECT_STREQ(error.what(), "ask: syntax error (42601). There.");
  EXPECT_FALSE(error.lost());
  EXPECT_EQ(run_task(loop, connection.query("good", "ask")).text(0, 0), "1");
  EXPECT_EQ(server.last().queries, (std::vector<std::string>{"bad", "good"}));
}

TEST(Query, AFailedTransactionIsRolledBackBeforeTheErrorIsTold) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string& sql) {
    session.send(sql == "ROLLBACK" ? backend::complete("ROLLBACK") + backend::ready()
                                   : backend::complete("BEGIN") + backend::error("ERROR", "22012", "division by zero") +
                                         backend::ready('E'));
  };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  EXPECT_EQ(error_of(loop, connection.query("BEGIN; SELECT 1/0", "divide")).sqlstate(), "22012");
  EXPECT_EQ(server.last().queries, (std::vector<std::string>{"BEGIN; SELECT 1/0", "ROLLBACK"}));
}

TEST(Query, EndsWhenTheConnectionIsClosedMeanwhile) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession&, const std::string&) {};
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  event::Timer closing(loop, [&] { connection.close(); });
  closing.start(milliseconds(20));
  EXPECT_TRUE(error_of(loop, connection.query("SELECT 1", "ask")).lost());
  run_until(loop, [&] { return server.last().client_gone(); });
  EXPECT_TRUE(server.last().terminated);
}

// The server does not read on before its answer is read: who only writes waits for ever.
TEST(Query, ReadsWhileItStillWrites) {
  event::Loop loop;
  FakePostgres server(loop);
  const std::string flood = backend::rows({"a"}, {{std::string(20'000'000, 'x')}});
  server.on_query = [](FakeSession&, const std::string&) {};
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  FakeSession& session = server.last();
  session.stop_reading();
  session.send(flood + backend::ready());
  server.on_query = [](FakeSession&, const std::string&) {};
  const std::string sql(20'000'000, 'y');
  EXPECT_EQ(run_task(loop, connection.query(sql, "ask")).text(0, 0).size(), 20'000'000U);
}

TEST(Query, AHalfReadCopyThatBreaksIsAnError) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string&) {
    session.send(backend::copy_out() + backend::copy_data("1\n") + backend::copy_data("2\n").substr(0, 4));
    session.close();
  };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  std::string rows;
  const auto keep = [&](std::string_view row) {
    rows += row;
    return true;
  };
  const PostgresError error = error_of(loop, connection.copy("COPY t TO STDOUT", keep, "read t"));
  EXPECT_THAT(error.what(), testing::HasSubstr("server closed the connection unexpectedly"));
  EXPECT_TRUE(error.lost());
  EXPECT_EQ(rows, "1\n");
}

TEST(Query, APausedCopyIsNotRead) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string&) {
    session.send(backend::copy_out() + backend::copy_data("1\n") + backend::copy_data("2\n") + backend::copy_done() +
                 backend::complete("COPY 2") + backend::ready());
  };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  int rows = 0;
  event::Timer resume(loop, [&] {
    EXPECT_EQ(rows, 1);
    connection.resume_copy();
  });
  const auto pause_first = [&](std::string_view) {
    if (++rows > 1) return true;
    resume.start(milliseconds(20));
    return false;
  };
  run_task(loop, connection.copy("COPY t TO STDOUT", pause_first, "read t"));  // no byte comes after the pause
  EXPECT_EQ(rows, 2);
}

TEST(Query, APausedCopyEndsWithItsConnection) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string&) {
    session.send(backend::copy_out() + backend::copy_data("1\n"));
  };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  event::Timer closing(loop, [&] { connection.close(); });
  const auto pause = [&](std::string_view) {
    closing.start(milliseconds(10));
    return false;
  };
  EXPECT_TRUE(error_of(loop, connection.copy("COPY t TO STDOUT", pause, "read t")).lost());
}

TEST(Query, APoolerThatDoesNotStreamIsRecognised) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession& session, const std::string&) {
    session.send(backend::complete("START_REPLICATION") + backend::ready());
  };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  const PostgresError error = error_of(loop, connection.begin_replication("START_REPLICATION", "start"));
  EXPECT_THAT(error.what(), testing::HasSubstr("did not begin to stream; connect to PostgreSQL itself"));
}

void ask_twice() {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_query = [](FakeSession&, const std::string&) {};
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  std::optional<Result> one, two;
  const event::Job first(loop, support::keep_value(connection.query("SELECT 1", "ask"), one), nullptr);
  const event::Job second(loop, support::keep_value(connection.query("SELECT 2", "ask"), two), nullptr);
}

TEST(QueryDeathTest, TwoAtATimeAreAProgrammingError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the resolver has threads
  EXPECT_DEATH(ask_twice(), "an operation before the last one was over");
}

}  // namespace
}  // namespace walrelay::replication
