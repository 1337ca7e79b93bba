// Opening a connection to a server that misbehaves.
#include "tests/loop/replication/connection_faults.h"

namespace walrelay::replication {
namespace {

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

}  // namespace
}  // namespace walrelay::replication
