// Connection against a server that misbehaves in every way, at every step.
#include "replication/connection.h"

#include "tests/support/fake_postgres.h"
#include "tests/support/loop_task.h"

namespace walrelay::replication {
namespace {

namespace backend = support::backend;
using std::chrono::milliseconds;
using support::FakePostgres;
using support::FakeSession;
using support::run_task;
using support::run_until;

const std::string kWelcome = backend::welcome();
const std::string kAnswer = backend::rows({"a"}, {{"1"}}) + backend::ready();

ConnectionOptions options_for(const std::string& ports, milliseconds timeout = milliseconds(10000)) {
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
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

std::string test_name(const testing::TestParamInfo<Fault>& fault) { return fault.param.name; }

// --- to open a connection ---------------------------------------------------------------------------------------

class OpenFault : public testing::TestWithParam<Fault> {};

TEST_P(OpenFault, IsToldInOneLine) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_start_up = [](FakeSession& session, const std::string&) { GetParam().act(session); };
  Connection connection(loop, options_for(std::to_string(server.port()), milliseconds(200)));
  const PostgresError error = error_of(loop, connection.open());
  EXPECT_THAT(error.what(), testing::StartsWith("connect to 127.0.0.1:" + std::to_string(server.port()) + "/app: "));
  EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
  EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
  EXPECT_EQ(error.sqlstate(), GetParam().sqlstate);
  EXPECT_TRUE(error.lost());
  EXPECT_FALSE(connection.is_open());

  server.on_start_up = [](FakeSession& session, const std::string&) { session.send(kWelcome); };
  run_task(loop, connection.open());  // nothing of the failure is left
  EXPECT_TRUE(connection.is_open());
}

INSTANTIATE_TEST_SUITE_P(
    Faults, OpenFault,
    testing::Values(Fault{"EndWithoutAWord", [](FakeSession& s) { s.close(); },
                          "server closed the connection unexpectedly"},
                    Fault{"Reset", [](FakeSession& s) { s.reset(); }, "server closed the connection unexpectedly"},
                    Fault{"Silence", [](FakeSession&) {}, "no answer within 200 ms"},
                    Fault{"SilenceAfterAuthentication", [](FakeSession& s) { s.send(backend::authentication_ok()); },
                          "no answer within 200 ms"},
                    Fault{"Garbage", [](FakeSession& s) { s.send("HTTP/1.1 400 Bad Request\r\n\r\n"); },
                          "expected authentication request from server"},
                    Fault{"EndInTheMiddleOfAMessage",
                          [](FakeSession& s) {
                            s.send(kWelcome.substr(0, 20));
                            s.close();
                          },
                          "server closed the connection unexpectedly"},
                    Fault{"TooManyClients",
                          [](FakeSession& s) {
                            s.send(backend::error("FATAL", "53300", "sorry, too many clients already"));
                            s.close();
                          },
                          "sorry, too many clients already (53300)", "53300"},
                    Fault{"StartingUp",
                          [](FakeSession& s) {
                            s.send(backend::error("FATAL", "57P03", "the database system is starting up", "Patience.",
                                                  "Wait."));
                            s.close();
                          },
                          "the database system is starting up (57P03). Patience. Wait.", "57P03"},
                    Fault{"InAnotherLanguage",
                          [](FakeSession& s) {
                            s.send(backend::error("FATALE", "28P01", "autenticazione fallita"));
                            s.close();
                          },
                          "autenticazione fallita (28P01)", "28P01"}),
    test_name);

TEST(Open, WorksOneByteAtATime) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_start_up = [](FakeSession& session, const std::string&) {
    session.send_slowly(backend::authentication_ok() + backend::notice("hello") +
                        kWelcome.substr(backend::authentication_ok().size()));
  };
  server.on_query = [](FakeSession& session, const std::string&) { session.send_slowly(kAnswer); };
  Connection connection(loop, options_for(std::to_string(server.port())));
  run_task(loop, connection.open());
  EXPECT_EQ(run_task(loop, connection.query("SELECT 1", "ask")).text(0, 0), "1");
  EXPECT_EQ(connection.parameter("server_encoding"), "UTF8");
  EXPECT_EQ(connection.backend_pid(), 4711);
}

TEST(Open, SaysWhoRefuses) {
  event::Loop loop;
  FakePostgres server(loop);
  server.stop_listening();
  Connection connection(loop, options_for(std::to_string(server.port())));
  const PostgresError error = error_of(loop, connection.open());
  EXPECT_THAT(error.what(), testing::StartsWith("connect to 127.0.0.1:" + std::to_string(server.port()) +
                                                "/app: Connection refused"));
  EXPECT_TRUE(error.lost());
}

TEST(Open, LeavesASilentServerForTheNextOne) {
  event::Loop loop;
  FakePostgres silent(loop), speaking(loop);
  silent.on_start_up = [](FakeSession&, const std::string&) {};
  const std::string ports = std::to_string(silent.port()) + "," + std::to_string(speaking.port());
  Connection connection(loop, options_for(ports, milliseconds(50)));
  run_task(loop, connection.open());
  EXPECT_EQ(speaking.sessions.size(), 1U);
  run_until(loop, [&] { return silent.last().client_gone(); });
}

TEST(Open, PinsWhatNewerServersKnowWithinTheSameTimeOut) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_start_up = [](FakeSession& session, const std::string&) {
    session.send(backend::authentication_ok() + backend::parameter("server_version", "17.2") + backend::ready());
  };
  Connection connection(loop, options_for(std::to_string(server.port()), milliseconds(100)));
  run_task(loop, connection.open());
  EXPECT_EQ(server.last().queries,
            (std::vector<std::string>{"SET idle_session_timeout TO 0; SET transaction_timeout TO 0"}));
  server.on_query = [](FakeSession&, const std::string&) {};
  EXPECT_THAT(error_of(loop, connection.open()).what(), testing::HasSubstr("no answer within 100 ms"));
}

TEST(Open, AsksForReplicationOfADatabase) {
  event::Loop loop;
  FakePostgres server(loop);
  ConnectionOptions options = options_for(std::to_string(server.port()));
  options.replication = true;
  Connection connection(loop, options);
  run_task(loop, connection.open());
  const std::string words = server.last().start_up;
  for (const std::string& pair : {std::string("replication\0database\0", 21), std::string("database\0app\0", 13),
                                  std::string("client_encoding\0SQL_ASCII\0", 26)}) {
    EXPECT_THAT(words, testing::HasSubstr(pair));
  }
}

TEST(Open, EndsWhenItIsClosedMeanwhile) {
  event::Loop loop;
  FakePostgres server(loop);
  server.on_start_up = [](FakeSession&, const std::string&) {};
  Connection connection(loop, options_for(std::to_string(server.port())));
  event::Timer closing(loop, [&] { connection.close(); });
  closing.start(milliseconds(20));
  EXPECT_THAT(error_of(loop, connection.open()).what(), testing::HasSubstr("closed while connecting"));
}

// --- in the middle of a query -----------------------------------------------------------------------------------

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
  EXPECT_DEATH(ask_twice(), "an operation before the last one was over");
}

// --- while nobody asks ------------------------------------------------------------------------------------------

class IdleFault : public testing::TestWithParam<Fault> {};

TEST_P(IdleFault, IsToldOnce) {
  event::Loop loop;
  FakePostgres server(loop);
  Connection connection(loop, options_for(std::to_string(server.port())));
  std::vector<std::string> losses;
  std::string sqlstate;
  connection.on_lost = [&](std::exception_ptr error) {
    EXPECT_FALSE(connection.is_open());
    try {
      std::rethrow_exception(error);
    } catch (const PostgresError& lost) {
      losses.emplace_back(lost.what());
      sqlstate = lost.sqlstate();
    }
  };
  run_task(loop, connection.open());
  run_task(loop, connection.query("SELECT 1", "ask"));
  server.last().send(backend::notice("nothing to see") + backend::parameter("application_name", "y"));
  GetParam().act(server.last());
  run_until(loop, [&] { return !losses.empty(); });
  for (int turn = 0; turn < 10; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_THAT(losses[0], testing::StartsWith("connection to 127.0.0.1:" + std::to_string(server.port()) +
                                             "/app lost: " + GetParam().message));
  EXPECT_EQ(sqlstate, GetParam().sqlstate);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, IdleFault,
    testing::Values(
        Fault{"EndWithoutAWord", [](FakeSession& s) { s.close(); }, "server closed the connection unexpectedly"},
        Fault{"Reset", [](FakeSession& s) { s.reset(); }, ""},
        Fault{"Farewell",
              [](FakeSession& s) {
                s.send(backend::error("FATAL", "57P01", "terminating connection due to administrator command"));
                s.close();
              },
              "terminating connection due to administrator command (57P01)", "57P01"},
        Fault{
            "FarewellWithTheLineStillOpen",
            [](FakeSession& s) { s.send(backend::error("FATAL", "57P05", "terminating due to idle-session timeout")); },
            "terminating due to idle-session timeout (57P05)", "57P05"},
        Fault{"FarewellOneByteAtATime",
              [](FakeSession& s) { s.send_slowly(backend::error("FATAL", "57P01", "farewell")); }, "farewell (57P01)",
              "57P01"}),
    test_name);

TEST(Idle, ClosedBeforeTheLossIsToldStaysSilent) {
  event::Loop loop;
  FakePostgres server(loop);
  int losses = 0;
  auto connection = std::make_unique<Connection>(loop, options_for(std::to_string(server.port())));
  connection->on_lost = [&](std::exception_ptr) { ++losses; };
  run_task(loop, connection->open());
  server.last().close();
  run_until(loop, [&] { return !connection->is_open() || losses > 0; });
  connection->close();
  EXPECT_LE(losses, 1);
  run_task(loop, connection->open());
  EXPECT_TRUE(connection->is_open());
}

TEST(Idle, MayBeDestroyedByItsOwnLoss) {
  event::Loop loop;
  FakePostgres server(loop);
  auto connection = std::make_unique<Connection>(loop, options_for(std::to_string(server.port())));
  connection->on_lost = [&](std::exception_ptr) { connection.reset(); };
  run_task(loop, connection->open());
  server.last().reset();
  run_until(loop, [&] { return connection == nullptr; });
}

}  // namespace
}  // namespace walrelay::replication
