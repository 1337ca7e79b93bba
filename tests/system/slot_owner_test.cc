// A command that is given the addresses of several walrelays asks the one that owns the slot, whichever comes first; so
// the Pods of a Deployment and their standbys can be asked by one name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/server_pair.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

std::string url_of(const Walrelay& walrelay) { return "http://127.0.0.1:" + std::to_string(walrelay.port()); }

class SlotOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    servers.insert(1, 100);
    first.start();
    first.wait_ready();
    second.start();
    ASSERT_TRUE(eventually([&] { return second.http("/readyz").body.starts_with("standby"); })) << second.log();
  }

  ServerPair servers;
  Walrelay first{{.config = servers.config()}}, second{{.config = servers.config()}};
  const std::string both = url_of(second) + "," + url_of(first);
};

TEST_F(SlotOwnerTest, IsAskedForAllThatAStandbyDoesNotKnow) {
  for (const std::string& urls : {both, url_of(first) + "," + url_of(second)}) {
    EXPECT_EQ(second.command({"wait", "--caught-up", "--url", urls}).status, 0) << urls;
    EXPECT_THAT(second.command({"status", "-o", "json", "--url", urls}).output, HasSubstr("\"streaming\""));
    const Finished rebuilt = second.command({"rebuild", "--url", urls});
    EXPECT_EQ(rebuilt.status, 0) << rebuilt.errors;
    EXPECT_THAT(rebuilt.output, HasSubstr("100 rows, 0 keys"));
  }
}

// While the owner takes up what is new a standby may get the slot: all of them are told, the owner last. Each has a
// configuration of its own here, which shows whose answer is printed.
TEST_F(SlotOwnerTest, ReadsItsConfigurationAgainAfterItsStandbys) {
  const auto reads = [](const Walrelay& walrelay) {
    return lines_with(walrelay.log(), "the configuration was read again");
  };
  first.configure(servers.config("flush: {interval: 20ms}"));
  second.configure(servers.config("flush: {interval: soon}"));
  const Finished refused = second.command({"reload", "--url", both});
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.errors, HasSubstr("the walrelay at " + url_of(second) + " keeps its configuration"));
  EXPECT_THAT(refused.errors, HasSubstr("soon"));
  EXPECT_EQ(reads(first), 0U);
  second.configure(servers.config("flush: {interval: 30ms, batch_size: 7}\non_removed: sweep"));
  const Finished reloaded = second.command({"reload", "--url", url_of(first) + "," + url_of(second)});
  EXPECT_EQ(reloaded.status, 0) << reloaded.errors;
  EXPECT_EQ(reloaded.output, "changed: flush\n");
  EXPECT_EQ(reads(first), 1U);
  EXPECT_EQ(reads(second), 1U);
  servers.insert(101, 110);
  EXPECT_EQ(second.command({"wait", "--caught-up", "--timeout", "30s", "--url", both}).status, 0);
  EXPECT_EQ(servers.difference(), "");
}

// How much is logged is of one process and no order of the slot's: the one that is asked does it, and says who it is.
TEST_F(SlotOwnerTest, IsWhoLogsMoreAndAnybodyMayBeAsked) {
  EXPECT_EQ(second.command({"log-level", "debug", "--url", both}).output, "debug at " + url_of(first) + "\n");
  EXPECT_EQ(second.command({"log-level", "--url", url_of(second)}).output, "info at " + url_of(second) + "\n");
  EXPECT_EQ(first.command({"log-level", "warn", "--url", url_of(second)}).output, "warn at " + url_of(second) + "\n");
  EXPECT_EQ(second.command({"log-level", "--url", both}).output, "debug at " + url_of(first) + "\n");
}

TEST_F(SlotOwnerTest, IsLookedForAgainWhenTheOldOneHasEnded) {
  first.kill();
  EXPECT_EQ(first.wait(), 128 + SIGKILL);
  servers.insert(101, 110);
  const Finished waited = second.command({"wait", "--caught-up", "--timeout", "30s", "--url", both});
  EXPECT_EQ(waited.status, 0) << waited.errors;
  EXPECT_EQ(servers.difference(), "");
}

TEST_F(SlotOwnerTest, IsMissedWhenOnlyAStandbyIsKnown) {
  const Finished waited = first.command({"wait", "--caught-up", "--timeout", "1500ms", "--url", url_of(second)});
  EXPECT_EQ(waited.status, 75);
  EXPECT_THAT(waited.errors, HasSubstr("another walrelay owns the slot"));
  const Finished rebuilt = first.command({"rebuild", "--url", url_of(second)});
  EXPECT_EQ(rebuilt.status, 1);
  EXPECT_THAT(rebuilt.errors, HasSubstr("stands by: ask the one that owns the slot"));
  const Finished reloaded = first.command({"reload", "--url", url_of(second)});
  EXPECT_EQ(reloaded.status, 1);
  EXPECT_THAT(reloaded.errors, HasSubstr("stands by: ask the one that owns the slot"));
}

}  // namespace
}  // namespace walrelay::support
