// Two walrelays on one slot: one works, the other waits, and a former owner that comes back from the dead changes
// nothing any more.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/server_pair.h"

namespace walrelay::support {
namespace {

bool is_standby(const Walrelay& walrelay) {
  const auto answer = walrelay.http("/readyz");
  return answer.status == 503 && answer.body.starts_with("standby");
}

// The slot's owner ended `signal`; how long until the other one owned the slot.
class StandbyTest : public testing::TestWithParam<int> {};

TEST_P(StandbyTest, WaitsQuietlyAndTakesOverWithinASecond) {
  ServerPair servers;
  servers.insert(1, 100);
  Walrelay first({.config = servers.config()}), second({.config = servers.config()});
  first.start();
  first.wait_ready();
  second.start();
  ASSERT_TRUE(eventually([&] { return is_standby(second); })) << second.log();

  SteadyWriter writer(servers.postgres.conninfo());
  ASSERT_TRUE(eventually([&] { return writer.committed() > 500; }));
  EXPECT_EQ(second.metric("walrelay_leader{slot=\"pair\"}"), 0.0) << second.http("/metrics").body;
  EXPECT_EQ(lines_with(second.log(), "waiting as a stand-by"), 1U) << second.log();
  EXPECT_EQ(lines_with(second.log(), "\"level\":\"warn\""), 0U) << second.log();
  EXPECT_EQ(servers.postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%stream'"), "2");

  first.process().signal(GetParam());
  const int status = first.wait(seconds(10));
  EXPECT_EQ(status, GetParam() == SIGTERM ? 0 : 128 + SIGKILL);
  const auto owns = [&] { return second.metric("walrelay_leader{slot=\"pair\"}") == 1.0; };
  EXPECT_TRUE(eventually(owns, seconds(1))) << second.log();
  second.wait_ready();
  writer.stop();
  EXPECT_TRUE(servers.in_step()) << second.log();
  EXPECT_EQ(servers.redis.command("GET", servers.own("fence")), "2");
  EXPECT_EQ(lines_with(second.log(), "every table is read"), 0U) << second.log();
}

INSTANTIATE_TEST_SUITE_P(Ends, StandbyTest, testing::Values(SIGKILL, SIGTERM),
                         [](const auto& end) { return end.param == SIGKILL ? "Killed" : "Terminated"; });

TEST(TakeoverTest, OfTwoThatStartAtOnceOneOwnsTheSlot) {
  ServerPair servers;
  servers.insert(1, 1000);
  Walrelay one({.config = servers.config()}), two({.config = servers.config()});
  one.start();
  two.start();
  const auto settled = [&] {
    const bool one_ready = one.http("/readyz").status == 200, two_ready = two.http("/readyz").status == 200;
    return (one_ready && is_standby(two)) || (two_ready && is_standby(one));
  };
  EXPECT_TRUE(eventually(settled)) << one.log() << two.log();
  EXPECT_TRUE(servers.in_step());
  EXPECT_TRUE(one.running());
  EXPECT_TRUE(two.running());
}

// How the stopped owner loses the slot to the other one.
class StoppedOwnerTest : public testing::TestWithParam<const char*> {};

TEST_P(StoppedOwnerTest, LandsNoneOfItsBufferedWrites) {
  ServerPair servers({.settings = {{"wal_sender_timeout", "2s"}}});
  const std::string slow = servers.config("flush: {interval: 3s}");
  Walrelay first({.config = slow}), second({.config = servers.config("flush: {interval: 0}")});
  first.start();
  first.wait_ready();
  servers.insert(1, 10);
  ASSERT_TRUE(servers.in_step());
  second.start();
  ASSERT_TRUE(eventually([&] { return is_standby(second); })) << second.log();

  // What the first one holds when it is stopped: old versions of rows 1 to 5, and rows 11 to 20.
  servers.insert(11, 20);
  servers.postgres.sql("UPDATE numbers SET version = 1000 + id WHERE id <= 5");
  ASSERT_TRUE(eventually([&] { return first.metric("walrelay_buffer_bytes{slot=\"pair\"}") > 500; })) << first.log();
  first.pause();
  if (std::string(GetParam()) == "Terminated") {
    servers.postgres.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
  }
  const auto owns = [&] { return second.metric("walrelay_leader{slot=\"pair\"}") == 1.0; };
  ASSERT_TRUE(eventually(owns)) << second.log();
  servers.postgres.sql("UPDATE numbers SET version = 2000 + id WHERE id <= 5; DELETE FROM numbers WHERE id > 15");
  ASSERT_TRUE(servers.in_step()) << second.log();
  const std::string fence = servers.redis.command("GET", servers.own("fence"));

  first.resume();
  EXPECT_TRUE(eventually([&] { return is_standby(first); })) << first.log();
  EXPECT_EQ(servers.difference(), "");
  EXPECT_EQ(servers.redis.command("GET", servers.own("fence")), fence);
  EXPECT_EQ(servers.redis.command("HGET", servers.own("checkpoint"), "epoch"), fence);
  servers.insert(30, 40);
  EXPECT_TRUE(servers.in_step());
  EXPECT_EQ(second.http("/readyz").status, 200);

  EXPECT_EQ(second.terminate(), 0) << second.log();
  first.wait_ready(seconds(10));
  servers.insert(50, 60);
  EXPECT_TRUE(servers.in_step()) << first.log();
}

INSTANTIATE_TEST_SUITE_P(Ways, StoppedOwnerTest, testing::Values("Terminated", "TimedOut"),
                         [](const auto& way) { return std::string(way.param); });

}  // namespace
}  // namespace walrelay::support
