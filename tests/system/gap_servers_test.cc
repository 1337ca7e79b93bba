// Servers that went back in time, or are others: Redis from an older dump or from a replica that had stopped listening,
// PostgreSQL from a base backup or from a standby that had, another cluster under the same address. The tests
// themselves are gap_test.cc's; each break here instantiates them.
#include <signal.h>

#include "tests/system/gap_fixture.h"

namespace walrelay::support {
namespace {

void keep_dump(GapSite& site) { site.redis->save_dump("early.rdb"); }

void restore_dump(GapSite& site) {
  site.redis->save_dump("late.rdb");
  site.redis->stop();
  site.redis->restore_dump("early.rdb");
  site.redis->start();
}

// A replica that hears nothing more from here on.
void fork_replica(GapSite& site) {
  site.other_redis = std::make_unique<Redis>();
  site.other_redis->replicate(*site.redis);
  site.other_redis->command("REPLICAOF", "NO", "ONE");
}

void use_replica(GapSite& site) {
  site.redis->kill();
  site.redis = site.other_redis.get();
}

void keep_backup(GapSite& site) { site.postgres->base_backup("early"); }

void restore_backup(GapSite& site) {
  site.postgres->stop();
  site.postgres->restore("early");
  site.postgres->start();
}

void restore_backup_and_make_slot(GapSite& site) {
  restore_backup(site);
  site.postgres->sql("SELECT pg_create_logical_replication_slot('pair', 'pgoutput')");
}

// A standby that hears nothing more from here on.
void fork_standby(GapSite& site) {
  const std::string end = site.postgres->sql("SELECT pg_current_wal_lsn()");
  site.other_postgres = std::make_unique<Postgres>(Postgres::Options{.standby_of = site.postgres});
  const auto replayed = [&] {
    return site.other_postgres->sql("SELECT pg_last_wal_replay_lsn() >= '" + end + "'") == "t";
  };
  ASSERT_TRUE(eventually(replayed));
  site.other_postgres->stop_receiving();
}

void use_standby(GapSite& site) {
  site.postgres->stop();
  site.postgres = site.other_postgres.get();
  site.postgres->promote();
}

void use_standby_and_make_slot(GapSite& site) {
  use_standby(site);
  site.postgres->sql("SELECT pg_create_logical_replication_slot('pair', 'pgoutput')");
}

// Rows 500 ... 1000 have keys already, the others come or go.
void replace_cluster(GapSite& site) {
  site.postgres->stop();
  site.postgres->replace_cluster({"--wal-segsize=1", "--data-checksums"});
  site.postgres->start();
  site.postgres->sql(
      "CREATE TABLE numbers (id int PRIMARY KEY, version bigint NOT NULL, body text); CREATE SEQUENCE versions");
  site.servers.insert(300, 310);
  site.servers.insert(500, 1200);
}

constexpr const char* kBehind = "but the slot was confirmed up to";
constexpr const char* kSlotNew = "the slot did not exist";

const Break kBreaks[] = {
    {.name = "OlderDumpUnderARunningWalrelay",
     .gap = "redis_behind",
     .sentence = kBehind,
     .happen = restore_dump,
     .prepare = keep_dump,
     .while_down = false},
    {.name = "OlderDump", .gap = "redis_behind", .sentence = kBehind, .happen = restore_dump, .prepare = keep_dump},
    {.name = "ReplicaPromotedLate",
     .gap = "redis_behind",
     .sentence = kBehind,
     .happen = use_replica,
     .prepare = fork_replica},
    {.name = "BaseBackupRestored",
     .gap = "slot_new",
     .sentence = kSlotNew,
     .happen = restore_backup,
     .prepare = keep_backup},
    {.name = "BaseBackupRestoredAndSlotMade",
     .gap = "server_behind",
     .sentence = "the server's WAL ends at",
     .happen = restore_backup_and_make_slot,
     .prepare = keep_backup},
    {.name = "StandbyPromotedLate",
     .gap = "slot_new",
     .sentence = kSlotNew,
     .happen = use_standby,
     .prepare = fork_standby},
    {.name = "StandbyPromotedLateAndSlotMade",
     .gap = "other_timeline",
     .sentence = "the server left timeline 1 at",
     .happen = use_standby_and_make_slot,
     .prepare = fork_standby},
    {.name = "OtherCluster",
     .gap = "other_system",
     .sentence = "the checkpoint in Redis belongs to the PostgreSQL system",
     .happen = replace_cluster},
};

// The first look at such a server makes a slot. Whoever comes later, when the server's WAL has grown beyond our
// position again, finds a slot that looks like ours.
class RestoredServerTest : public testing::Test {
 protected:
  void restore_under(const std::string& more) {
    site_.fill();
    walrelay_.configure(site_.config(more));
    walrelay_.start();
    walrelay_.wait_ready();
    ASSERT_TRUE(site_.in_step());
    keep_backup(site_);
    ASSERT_NO_FATAL_FAILURE(site_.change_and_confirm());
    ASSERT_EQ(walrelay_.terminate(), 0);
    old_end_ = site_.postgres->sql("SELECT pg_current_wal_lsn()");
    restore_backup(site_);
    ASSERT_GE(site_.ghosts(), 100U);
  }

  void outgrow_old_position() {
    site_.postgres->sql("UPDATE numbers SET version = nextval('versions'); UPDATE numbers SET body = 'grown'");
    ASSERT_EQ(site_.postgres->sql("SELECT pg_current_wal_lsn() > '" + old_end_ + "'"), "t");
  }

  GapSite site_;
  Walrelay walrelay_{{.config = ""}};
  std::string old_end_;
};

TEST_F(RestoredServerTest, IsStillAGapAfterAHalt) {
  ASSERT_NO_FATAL_FAILURE(restore_under("on_gap: halt"));
  walrelay_.start();
  EXPECT_EQ(walrelay_.wait(seconds(30)), 6) << walrelay_.log();
  ASSERT_NO_FATAL_FAILURE(outgrow_old_position());
  walrelay_.start();
  EXPECT_EQ(walrelay_.wait(seconds(30)), 6) << walrelay_.log();
}

TEST_F(RestoredServerTest, IsStillAGapWhenKilledAfterMakingTheSlot) {
  ASSERT_NO_FATAL_FAILURE(restore_under("on_gap: rebuild"));
  walrelay_.set_environment({{"WALRELAY_CRASH_AT", "1"}});
  walrelay_.start();
  ASSERT_EQ(walrelay_.wait(seconds(30)), 128 + SIGKILL) << walrelay_.log();
  ASSERT_EQ(site_.postgres->sql("SELECT count(*) FROM pg_replication_slots"), "1");
  ASSERT_NO_FATAL_FAILURE(outgrow_old_position());
  walrelay_.set_environment({});
  walrelay_.start();
  EXPECT_TRUE(site_.in_step(seconds(20))) << walrelay_.log();
  EXPECT_EQ(walrelay_.metric("walrelay_gaps_total", "gap=\"slot_new\""), 1.0) << walrelay_.log();
}

// The old primary comes back after a failover, with its old slot, and goes on where nobody had seen it.
TEST_F(RestoredServerTest, IsAGapWhenAnOldPrimaryComesBack) {
  site_.fill();
  walrelay_.configure(site_.config("on_gap: rebuild"));
  walrelay_.start();
  walrelay_.wait_ready();
  ASSERT_NO_FATAL_FAILURE(fork_standby(site_));
  ASSERT_EQ(walrelay_.terminate(), 0);
  use_standby(site_);
  walrelay_.configure(site_.config("on_gap: rebuild"));
  walrelay_.start();
  walrelay_.wait_ready();
  ASSERT_NO_FATAL_FAILURE(site_.change_and_confirm());
  ASSERT_EQ(walrelay_.terminate(), 0);
  old_end_ = site_.postgres->sql("SELECT pg_current_wal_lsn()");

  site_.postgres = &site_.servers.postgres;
  site_.postgres->start();
  ASSERT_NO_FATAL_FAILURE(outgrow_old_position());
  walrelay_.configure(site_.config("on_gap: rebuild"));
  walrelay_.start();
  EXPECT_TRUE(site_.in_step(seconds(20))) << walrelay_.log();
  EXPECT_EQ(walrelay_.metric("walrelay_gaps_total", "gap=\"other_timeline\""), 1.0) << walrelay_.log();
}

INSTANTIATE_TEST_SUITE_P(Servers, GapTest, testing::ValuesIn(kBreaks),
                         [](const auto& at) { return std::string(at.param.name); });

}  // namespace
}  // namespace walrelay::support
