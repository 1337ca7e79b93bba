// When Redis and the slot do not fit together any more: Redis emptied or restarted without its data, the slot dropped
// or lost. on_gap: rebuild reads every table again in place; on_gap: halt says one sentence and exits 6.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/server_pair.h"

namespace walrelay::support {
namespace {

constexpr int kGap = 6;  // the exit code

struct Break {
  const char* name;
  const char* gap;  // the label of the metric
  bool while_down;  // walrelay is ended first, and started after
  void (*happen)(ServerPair& servers);
};

void empty(ServerPair& servers) { servers.redis.flush(); }

void restart_without_data(ServerPair& servers) {
  servers.redis.kill();
  servers.redis.start();
}

void drop_slot(ServerPair& servers) {
  servers.postgres.sql("SELECT pg_drop_replication_slot('pair')");
  servers.postgres.sql("DELETE FROM numbers WHERE id = 1; INSERT INTO numbers VALUES (1, 9, 'unseen')");
}

void make_slot_anew(ServerPair& servers) {
  drop_slot(servers);
  servers.postgres.sql("SELECT pg_create_logical_replication_slot('pair', 'pgoutput')");
}

void lose_wal(ServerPair& servers) {
  servers.postgres.set("max_slot_wal_keep_size", "1MB");
  for (int i = 0; i < 8; ++i)
    servers.postgres.sql("UPDATE numbers SET version = version + 1; SELECT pg_switch_wal(); CHECKPOINT");
  ASSERT_EQ(servers.postgres.sql("SELECT wal_status FROM pg_replication_slots"), "lost");
}

const Break kBreaks[] = {
    {"RedisEmptied", "redis_empty", false, empty},
    {"RedisRestartedWithoutData", "redis_empty", false, restart_without_data},
    {"RedisEmptiedWhileDown", "redis_empty", true, empty},
    {"SlotDropped", "slot_new", true, drop_slot},
    {"SlotMadeAnew", "redis_behind", true, make_slot_anew},
    {"WalLost", "slot_lost", true, lose_wal},
};

class GapTest : public testing::TestWithParam<Break> {
 protected:
  void bring_up(const std::string& more) {
    servers_.insert(1, 1000);
    walrelay_.configure(servers_.config("flush: {interval: 10ms}\nack: {hold: 0}\n" + more));
    walrelay_.start();
    walrelay_.wait_ready();
    ASSERT_TRUE(servers_.in_step());
  }
  void do_break() {
    if (GetParam().while_down) {
      ASSERT_EQ(walrelay_.terminate(), 0);
    }
    GetParam().happen(servers_);
    if (GetParam().while_down) walrelay_.start();
  }

  ServerPair servers_{{.settings = {}, .initdb = {"--wal-segsize=1"}}, {}};
  Walrelay walrelay_{{.config = ""}};
};

TEST_P(GapTest, IsHealedInPlace) {
  bring_up("on_gap: rebuild");
  std::optional<SteadyWriter> writer;
  if (!GetParam().while_down) writer.emplace(servers_.postgres.conninfo());
  do_break();
  const std::string metric = "walrelay_gaps_total{slot=\"pair\",gap=\"" + std::string(GetParam().gap) + "\"}";
  EXPECT_TRUE(eventually([&] { return walrelay_.metric(metric) >= 1.0; })) << walrelay_.http("/metrics").body;
  walrelay_.wait_ready();
  if (writer) writer->stop();
  servers_.insert(2000, 2010);
  EXPECT_TRUE(servers_.in_step()) << walrelay_.log();
  EXPECT_GE(lines_with(walrelay_.log(), "every table is read again in place"), 1U) << walrelay_.log();
}

TEST_P(GapTest, StopsWithASentenceWhereToldSo) {
  bring_up("on_gap: halt");
  do_break();
  EXPECT_EQ(walrelay_.wait(seconds(30)), kGap) << walrelay_.log();
  EXPECT_EQ(lines_with(walrelay_.log(), "on_gap is halt"), 1U) << walrelay_.log();
  walrelay_.start();  // it does not go away by itself
  EXPECT_EQ(walrelay_.wait(seconds(30)), kGap) << walrelay_.log();

  walrelay_.configure(servers_.config("on_gap: rebuild"));
  walrelay_.start();
  EXPECT_TRUE(servers_.in_step()) << walrelay_.log();
}

INSTANTIATE_TEST_SUITE_P(After, GapTest, testing::ValuesIn(kBreaks),
                         [](const auto& at) { return std::string(at.param.name); });

}  // namespace
}  // namespace walrelay::support
