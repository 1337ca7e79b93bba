#include "sidecar/start_up.h"

#include <gtest/gtest.h>

#include <set>

#include "replication/connection.h"
#include "replication/reader.h"
#include "sidecar/backoff.h"
#include "sidecar/policy.h"
#include "sidecar/progress.h"
#include "sidecar/server_clock.h"
#include "sinks/mapping.h"
#include "sinks/redis_sink.h"

namespace walrelay::sidecar {
namespace {

using replication::Lsn;
using std::chrono::milliseconds;
using std::chrono::seconds;

sinks::Checkpoint checkpoint(std::uint64_t verified) {
  sinks::Checkpoint made;
  made.verified.committed = Lsn(verified);
  made.sent.committed = Lsn(verified + 5);
  made.origin = {"7001", 1, "app", "0/1"};
  made.phase = "stream";
  return made;
}

ServerView server(std::uint64_t confirmed, std::uint64_t flushed) {
  ServerView view;
  view.system_identifier = "7001";
  view.timeline = 1;
  view.database = "app";
  view.confirmed_flush = Lsn(confirmed);
  view.flushed = Lsn(flushed);
  return view;
}

struct Row {
  const char* name;
  std::optional<sinks::Checkpoint> checkpoint;
  ServerView server;
  Gap gap;
  bool load, resume;
};

std::vector<Row> rows() {
  auto other_system = server(90, 200);
  other_system.system_identifier = "7002";
  auto other_database = server(90, 200);
  other_database.database = "copy";
  auto created = server(150, 200);
  created.slot_created = true;
  auto lost = server(150, 200);
  lost.slot_was_lost = true;
  auto forked = server(90, 200);
  forked.timeline = 2;
  forked.history = {{1, Lsn(95)}};
  auto forked_later = server(90, 200);
  forked_later.timeline = 2;
  forked_later.history = {{1, Lsn(100)}};
  auto twice_forked = server(90, 200);
  twice_forked.timeline = 3;
  twice_forked.history = {{1, Lsn(95)}, {2, Lsn(150)}};
  auto of_second_timeline = checkpoint(100);
  of_second_timeline.origin.timeline = 2;
  auto other_branch = forked;
  other_branch.timeline = 3;
  auto created_elsewhere = created;
  created_elsewhere.system_identifier = "7002";
  auto created_after_fork = forked;
  created_after_fork.slot_created = true;
  auto lost_and_created = created;
  lost_and_created.slot_was_lost = true;
  auto loading = checkpoint(100);
  loading.phase = "load";
  auto of_no_slot = checkpoint(100);
  of_no_slot.origin.slot_incarnation.clear();
  return {
      {"a slot was about to be made", of_no_slot, server(90, 200), Gap::slot_new, true, false},
      {"no checkpoint", std::nullopt, server(90, 200), Gap::redis_empty, true, false},
      {"no checkpoint, lost slot", std::nullopt, lost, Gap::slot_lost, true, false},
      {"in step", checkpoint(100), server(100, 200), Gap::none, false, false},
      {"ahead of the slot", checkpoint(100), server(90, 200), Gap::none, false, false},
      {"behind the slot", checkpoint(100), server(101, 200), Gap::redis_behind, true, false},
      {"ahead of the server", checkpoint(100), server(90, 99), Gap::server_behind, true, false},
      {"other system", checkpoint(100), other_system, Gap::other_system, true, false},
      {"other database", checkpoint(100), other_database, Gap::other_system, true, false},
      {"slot made anew", checkpoint(100), created, Gap::slot_new, true, false},
      {"slot lost", checkpoint(100), lost, Gap::slot_lost, true, false},
      {"fork before the position", checkpoint(100), forked, Gap::other_timeline, true, false},
      {"fork after the position", checkpoint(100), forked_later, Gap::none, false, false},
      {"fork of the first timeline of two", checkpoint(100), twice_forked, Gap::other_timeline, true, false},
      {"fork of the second, after the position", of_second_timeline, twice_forked, Gap::none, false, false},
      {"a timeline that the server has not reached", of_second_timeline, server(90, 200), Gap::other_timeline, true,
       false},
      {"a timeline of another branch", of_second_timeline, other_branch, Gap::other_timeline, true, false},
      {"other system and slot made", checkpoint(100), created_elsewhere, Gap::other_system, true, false},
      {"fork and slot made", checkpoint(100), created_after_fork, Gap::slot_new, true, false},
      {"slot lost and made", checkpoint(100), lost_and_created, Gap::slot_lost, true, false},
      {"at the very end of the server", checkpoint(100), server(100, 100), Gap::none, false, false},
      {"interrupted load", loading, server(90, 200), Gap::none, false, true},
      {"interrupted load, then a gap", loading, server(101, 200), Gap::redis_behind, true, false},
      {"interrupted load, slot made anew", loading, created, Gap::slot_new, true, false},
  };
}

TEST(Decide, FollowsTheTable) {
  for (const Row& row : rows()) {
    const Decision decision = decide(row.checkpoint, row.server);
    EXPECT_EQ(decision.gap, row.gap) << row.name;
    EXPECT_EQ(decision.load, row.load) << row.name;
    EXPECT_EQ(decision.resume, row.resume) << row.name;
    EXPECT_FALSE(decision.sentence.empty()) << row.name;
    const Lsn from = row.load ? row.server.confirmed_flush : row.checkpoint->verified.committed;
    EXPECT_EQ(decision.verified.committed, from) << row.name;
  }
}

// A transaction that was sent in parts goes on where it was, and what was sent last is known.
TEST(Decide, TakesUpTheMiddleOfATransaction) {
  auto open = checkpoint(100);
  open.verified = {Lsn(100), Lsn(120), 7};
  open.sent = {Lsn(100), Lsn(120), 9};
  const Decision decision = decide(open, server(100, 200));
  EXPECT_EQ(decision.gap, Gap::none);
  EXPECT_EQ(decision.verified, open.verified);
  EXPECT_EQ(decision.sent, open.sent);
}

// Both positions of a gap are the slot's: nothing that Redis remembers counts any more.
TEST(Decide, BeginsAGapAtTheSlot) {
  const Decision decision = decide(checkpoint(100), server(150, 200));
  EXPECT_EQ(decision.gap, Gap::redis_behind);
  EXPECT_EQ(decision.verified.committed, Lsn(150));
  EXPECT_EQ(decision.sent, decision.verified);
}

TEST(Gap, HasALabelOfItsOwn) {
  std::set<std::string> names;
  for (const Gap gap : {Gap::none, Gap::redis_empty, Gap::redis_behind, Gap::slot_new, Gap::slot_lost,
                        Gap::other_system, Gap::other_timeline, Gap::server_behind}) {
    names.insert(name_of(gap));
  }
  EXPECT_EQ(names.size(), 8U);
  EXPECT_EQ(names.count("unknown"), 0U);
}

TEST(TimelineHistory, ReadsSwitchPointsAndPassesOverTheRest) {
  const auto history =
      parse_timeline_history("1\t0/3000000\tno recovery target specified\n\n# note\n2\t1/A0\tbefore 2024\n");
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0], (std::pair<std::uint32_t, Lsn>(1, Lsn(0x3000000))));
  EXPECT_EQ(history[1], (std::pair<std::uint32_t, Lsn>(2, Lsn(0x1000000A0))));
}

TEST(Progress, HoldsBackWhatIsYoung) {
  const Progress::Clock::time_point start{};
  Progress progress(milliseconds(5000));
  progress.on_recorded(Lsn(10), start);
  EXPECT_EQ(progress.confirmable(start + seconds(4)), Lsn::invalid);
  progress.on_recorded(Lsn(20), start + seconds(4));
  EXPECT_EQ(progress.confirmable(start + seconds(5)), Lsn(10));
  EXPECT_EQ(progress.confirmable(start + seconds(8)), Lsn(10));
  EXPECT_EQ(progress.confirmable(start + seconds(9)), Lsn(20));
}

TEST(Progress, NeverConfirmsWhatIsYoungerThanTheHold) {
  const Progress::Clock::time_point start{};
  Progress progress(milliseconds(5000));
  for (int i = 0; i < 1000; ++i)
    progress.on_recorded(Lsn(static_cast<std::uint64_t>(i) + 1), start + milliseconds(i * 10));
  // At 10 s, everything recorded in the first 5 s may go: the grain of 100 ms may hold back a little more, never less.
  const auto confirmable = static_cast<std::uint64_t>(progress.confirmable(start + seconds(10)));
  EXPECT_LE(confirmable, 501U);
  EXPECT_GE(confirmable, 480U);
}

TEST(Progress, NeverGoesBack) {
  const Progress::Clock::time_point start{};
  Progress progress(milliseconds(0));
  progress.on_recorded(Lsn(20), start);
  EXPECT_EQ(progress.confirmable(start), Lsn(20));
  progress.on_recorded(Lsn(10), start);
  EXPECT_EQ(progress.confirmable(start + seconds(1)), Lsn(20));
  EXPECT_EQ(progress.recorded(), Lsn(20));
}

TEST(Backoff, GrowsToItsLimitWithJitterAndStartsAgain) {
  Backoff backoff(1);
  milliseconds last(0);
  for (int i = 0; i < 20; ++i) {
    last = backoff.next();
    EXPECT_LE(last, milliseconds(10000));
  }
  EXPECT_GE(last, milliseconds(5000));
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(200));
}

TEST(ServerClock, KeepsTheLeastDelayedDifference) {
  const ServerClock::Clock::time_point start{};
  ServerClock clock;
  clock.observe(1'000'000, start);
  clock.observe(1'900'000, start + seconds(1));  // came 0.1 s late
  EXPECT_EQ(clock.now_us(start + seconds(2)), 3'000'000);
  clock.observe(4'500'000, start + seconds(3));  // less late than any before
  EXPECT_EQ(clock.now_us(start + seconds(3)), 4'500'000);
}

TEST(Policy, JudgesEachKindOfFailure) {
  using Action = Verdict::Action;
  const auto postgres = [](const char* state, bool lost) {
    return judge(replication::PostgresError(state, lost, "words"));
  };
  EXPECT_EQ(postgres("", true).action, Action::retry);
  EXPECT_EQ(postgres("57P03", false).action, Action::retry);
  EXPECT_EQ(postgres("08006", true).action, Action::retry);
  EXPECT_EQ(postgres("28P01", false).action, Action::retry_slowly);
  EXPECT_EQ(postgres("42501", false).action, Action::stop);
  EXPECT_EQ(postgres("42501", false).code, ExitCode::postgres);
  EXPECT_EQ(postgres("3D000", false).action, Action::stop);
  for (const char* code : {"LOST", "OOM", "READONLY", "LOADING", "MISCONF", "FENCED", "EXECABORT"}) {
    EXPECT_EQ(judge(sinks::RedisError(code, "words")).action, Action::retry) << code;
  }
  EXPECT_EQ(judge(sinks::RedisError("WRONGPASS", "words")).action, Action::retry_slowly);
  EXPECT_EQ(judge(sinks::RedisError("NOPERM", "words")).action, Action::stop);
  EXPECT_EQ(judge(sinks::RedisError("NOPERM", "words")).code, ExitCode::redis);
  EXPECT_EQ(judge(sinks::BatchRefused("WRONGTYPE", "words")).action, Action::retry_careful);
  EXPECT_EQ(judge(replication::ProtocolError("words")).action, Action::retry);
  EXPECT_EQ(judge(sinks::MappingError("words")).code, ExitCode::configuration);
  EXPECT_EQ(judge(sinks::RowError("words")).code, ExitCode::failure);
  EXPECT_EQ(judge(StopError(ExitCode::gap, "words")).code, ExitCode::gap);
  EXPECT_EQ(judge(std::runtime_error("words")).action, Action::stop);
}

}  // namespace
}  // namespace walrelay::sidecar
