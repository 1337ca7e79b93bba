// A connection that breaks while nobody asks.
#include "tests/loop/replication/connection_faults.h"

namespace walrelay::replication {
namespace {

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
