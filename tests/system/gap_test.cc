// When Redis and the slot do not fit together any more: Redis emptied or restarted without its data, the slot dropped
// or lost. on_gap: rebuild reads every table again in place and removes what has no row any more; on_gap: halt says one
// sentence and exits 6. Servers that went back in time are in gap_servers_test.cc.
#include <optional>

#include "tests/system/gap_fixture.h"

namespace walrelay::support {
namespace {

void empty(GapSite& site) { site.redis->flush(); }

void restart_without_data(GapSite& site) {
  site.redis->kill();
  site.redis->start();
}

void change_unseen(GapSite& site) {
  site.postgres->sql(
      "DELETE FROM numbers WHERE id BETWEEN 11 AND 20; INSERT INTO numbers VALUES (1, 9, 'unseen'); "
      "UPDATE numbers SET version = nextval('versions') WHERE id BETWEEN 21 AND 30");
}

void drop_slot(GapSite& site) {
  site.postgres->sql("SELECT pg_drop_replication_slot('pair')");
  change_unseen(site);
}

void make_slot_anew(GapSite& site) {
  drop_slot(site);
  site.postgres->sql("SELECT pg_create_logical_replication_slot('pair', 'pgoutput')");
}

void lose_wal(GapSite& site) {
  change_unseen(site);
  site.postgres->set("max_slot_wal_keep_size", "1MB");
  for (int i = 0; i < 8; ++i)
    site.postgres->sql("UPDATE numbers SET version = version + 1; SELECT pg_switch_wal(); CHECKPOINT");
  ASSERT_EQ(site.postgres->sql("SELECT wal_status FROM pg_replication_slots"), "lost");
}

constexpr const char* kEmpty = "Redis holds no checkpoint of this slot";
constexpr const char* kBehind = "but the slot was confirmed up to";

const Break kBreaks[] = {
    {.name = "RedisEmptied",
     .gap = "redis_empty",
     .sentence = kEmpty,
     .happen = empty,
     .while_down = false,
     .keeps_keys = false,
     .writes = true},
    {.name = "RedisEmptiedWhileIdle",
     .gap = "redis_empty",
     .sentence = kEmpty,
     .happen = empty,
     .while_down = false,
     .keeps_keys = false,
     .within = seconds(5)},
    {.name = "RedisRestartedWithoutData",
     .gap = "redis_empty",
     .sentence = kEmpty,
     .happen = restart_without_data,
     .while_down = false,
     .keeps_keys = false,
     .writes = true},
    {.name = "RedisEmptiedWhileDown", .gap = "redis_empty", .sentence = kEmpty, .happen = empty, .keeps_keys = false},
    {.name = "SlotDropped", .gap = "slot_new", .sentence = "the slot did not exist", .happen = drop_slot},
    {.name = "SlotMadeAnew", .gap = "redis_behind", .sentence = kBehind, .happen = make_slot_anew},
    {.name = "WalLost", .gap = "slot_lost", .sentence = "lost WAL that was still needed", .happen = lose_wal},
};

}  // namespace

TEST_P(GapTest, IsHealedInPlace) {
  ASSERT_NO_FATAL_FAILURE(bring_up("on_gap: rebuild"));
  std::optional<SteadyWriter> writer;
  if (GetParam().writes) writer.emplace(site_.postgres->conninfo());
  ASSERT_NO_FATAL_FAILURE(do_break("on_gap: rebuild"));
  expect_gap();
  if (writer) writer->stop();
  expect_healed();
}

TEST_P(GapTest, StopsWithASentenceWhereToldSo) {
  ASSERT_NO_FATAL_FAILURE(bring_up("on_gap: halt"));
  ASSERT_NO_FATAL_FAILURE(do_break("on_gap: halt"));
  EXPECT_EQ(walrelay_.wait(seconds(30)), kGap) << walrelay_.log();
  EXPECT_EQ(lines_with(walrelay_.log(), "on_gap is halt"), 1U) << walrelay_.log();
  EXPECT_GE(lines_with(walrelay_.log(), GetParam().sentence), 1U) << walrelay_.log();
  walrelay_.start();  // it does not go away by itself
  EXPECT_EQ(walrelay_.wait(seconds(30)), kGap) << walrelay_.log();

  walrelay_.configure(site_.config("on_gap: rebuild"));
  walrelay_.start();
  expect_healed();
}

INSTANTIATE_TEST_SUITE_P(After, GapTest, testing::ValuesIn(kBreaks),
                         [](const auto& at) { return std::string(at.param.name); });

}  // namespace walrelay::support
