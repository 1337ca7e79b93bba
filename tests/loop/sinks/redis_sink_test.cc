// RedisSink against a fake Redis: what leaves and when, the checkpoint, positions, memory. Faults:
// redis_faults_test.cc.
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

const char* const kCheckpoint = "walrelay:{s}:checkpoint";

TEST_F(RedisSinkTest, TakesOverAndReadsWhatIsThere) {
  server.keys["walrelay:{s}:load"] = {'h', "", {{"public.t", "cursor"}}, {}};
  server.keys["walrelay:{s}:reread"] = {'h', "", {{"note", "1"}}, {}};
  server.keys[kCheckpoint] = {'h', "", to_fields({at(0x20), at(0x30), SinkSession::origin(), 4, "load"}), {}};
  SinkSession session(loop, server.options(), options());
  RedisSink::Found found = session.take_over();
  EXPECT_TRUE(found.empty_database);  // but for our own keys
  EXPECT_EQ(found.load, (FakeRedis::Fields{{"public.t", "cursor"}}));
  EXPECT_EQ(found.reread, (FakeRedis::Fields{{"note", "1"}}));
  ASSERT_TRUE(found.checkpoint.has_value());
  EXPECT_EQ(found.checkpoint->verified, at(0x20));
  EXPECT_EQ(found.checkpoint->sent, at(0x30));
  EXPECT_EQ(server.keys["walrelay:{s}:fence"].text, "1");

  server.keys["foreign"] = {'s', "x", {}, {}};
  SinkSession next(loop, server.options(), options());
  EXPECT_FALSE(next.take_over().empty_database);
  EXPECT_EQ(server.keys["walrelay:{s}:fence"].text, "2");
}

TEST_F(RedisSinkTest, TheFirstCommitLeavesAtOnceWithTheCheckpointInside) {
  RedisSinkOptions slow = options();
  slow.flush.interval = event::milliseconds(60000);
  SinkSession session(loop, server.options(), slow);
  session.begin();
  const std::size_t before = server.seen.size();
  session.transaction("k", "1", 0x20);
  session.wait_applied(0x20);
  EXPECT_THAT(names_seen(before), ElementsAre("MULTI", "HSET", "HSET", "EXEC", "WATCH", "GET"));
  EXPECT_EQ(value_of("k"), "1");
  EXPECT_EQ(stated("sent"), "0/20");
  EXPECT_EQ(stated("verified"), "0/10");
  EXPECT_EQ(stated("epoch"), "1");
  EXPECT_EQ(stated("phase"), "stream");
  EXPECT_THAT(session.events.commit_times, ElementsAre(0x20 * 1000));
  EXPECT_FALSE(session.sink.drained());

  // Then, alone, its own position; only what changed is written.
  session.wait_recorded(0x20);
  EXPECT_THAT(session.events.recorded, ElementsAre(at(0x10), at(0x20)));
  EXPECT_EQ(stated("verified"), "0/20");
  EXPECT_TRUE(session.sink.drained());
  const Words& last = server.seen[server.seen.size() - 4];
  EXPECT_THAT(last, ElementsAre("HSET", kCheckpoint, "epoch", "1", "verified", "0/20"));
}

TEST_F(RedisSinkTest, TransactionsOfOneTurnGoTogetherAndCoalesce) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  for (std::uint64_t i = 1; i <= 5; ++i) session.transaction("k" + std::to_string(i % 2), std::to_string(i), 0x20 + i);
  session.wait_applied(0x25);
  EXPECT_EQ(session.sink.counters().batches, 1U);
  EXPECT_EQ(session.sink.counters().transactions, 5U);
  EXPECT_EQ(session.sink.counters().rows, 5U);
  EXPECT_EQ(value_of("k1"), "5");
  EXPECT_THAT(session.events.applied, ElementsAre(at(0x25)));
}

TEST_F(RedisSinkTest, LaterCommitsWaitForTheInterval) {
  RedisSinkOptions slow = options();
  slow.flush.interval = event::milliseconds(60);
  SinkSession session(loop, server.options(), slow);
  session.begin();
  session.transaction("a", "1", 0x20);
  session.wait_applied(0x20);
  const auto started = uv_now(loop.raw());
  session.transaction("b", "1", 0x30);
  session.transaction("c", "1", 0x40);
  session.wait_applied(0x40);
  EXPECT_GE(uv_now(loop.raw()) - started, 40U);
  EXPECT_EQ(session.sink.counters().batches, 2U);
}

TEST_F(RedisSinkTest, AFullBatchAndAFlushDoNotWait) {
  RedisSinkOptions slow = options();
  slow.flush.interval = event::milliseconds(60000);
  slow.flush.batch_size = 3;
  SinkSession session(loop, server.options(), slow);
  session.begin();
  session.transaction("a", "1", 0x20);
  session.wait_applied(0x20);
  for (std::uint64_t i = 1; i <= 3; ++i) session.transaction("b" + std::to_string(i), "1", 0x30 + i);
  session.wait_applied(0x33);  // three rows
  session.transaction("c", "1", 0x40);
  session.sink.flush();
  session.wait_recorded(0x40);  // and its record is not waited for either
  EXPECT_TRUE(session.sink.drained());
  EXPECT_EQ(session.events.failures, 0);
}

TEST_F(RedisSinkTest, TheNextBatchStreamsButItsExecWaitsForTheVerdict) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  std::size_t held = 0;
  server.on_command = [&](const Words& words) -> std::optional<std::string> {
    if (words[0] != "EXEC" || held++ > 0) return std::nullopt;
    return "";  // the first EXEC is not answered yet
  };
  session.transaction("a", "1", 0x20);
  run_until(loop, [&] { return held == 1; });
  const std::string large(300 * 1024, 'x');
  session.transaction("b", large, 0x30);
  run_until(loop, [&] { return count_seen("MULTI") == 2 && server.seen.back()[0] == "HSET"; });
  EXPECT_EQ(held, 1U);
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
  EXPECT_TRUE(session.events.applied.empty());
  EXPECT_EQ(count_seen("EXEC"), 1U);
}

// What the last owner had sent may have been seen: nothing is shown before the stream has reached it.
TEST_F(RedisSinkTest, TheFirstBatchReachesWhatWasSent) {
  struct Case {
    std::string name;
    Position sent;
    std::size_t shown_at;  // the transaction with which everything is shown
  };
  const std::vector<Case> cases = {
      {"a commit", at(0x24), 4}, {"inside", inside(0x23, 0x23, 1), 4}, {"none", at(0x10), 1}};
  for (const Case& one : cases) {
    server.flush_all();
    RedisSinkOptions small = options();
    small.flush.batch_size = 1;
    small.flush.max_bytes = 2048;
    small.flush.max_transaction = 4096;
    SinkSession session(loop, server.options(), small);
    session.begin(at(0x10), one.sent);
    for (std::size_t i = 1; i <= 4; ++i) {
      session.transaction("k" + std::to_string(i), std::string(3000, 'x'), 0x20 + i);
      bool over = false;
      event::Timer later(loop, [&] { over = true; });
      later.start(event::milliseconds(5));
      run_until(loop, [&] { return over; });
      EXPECT_EQ(!server.hash("k1").empty(), i >= one.shown_at) << one.name << " " << i;
    }
    session.wait_applied(0x24);
    EXPECT_EQ(session.events.failures, 0) << one.name;
  }
}

// The last owner's batch may be larger than what a careful session would send by itself: it is repeated whole.
TEST_F(RedisSinkTest, ACarefulSessionRepeatsALargeBatch) {
  RedisSinkOptions careful = options();
  careful.careful = true;
  careful.flush.max_bytes = 1024;
  SinkSession session(loop, server.options(), careful);
  session.begin(at(0x10), at(0x30));
  for (std::uint64_t i = 1; i <= 200; ++i) {
    session.set("k" + std::to_string(i), "1", inside(0x10, 0x2f, i));
    run_until(loop, [&] { return !session.sink.full() || session.events.failures > 0; });
  }
  EXPECT_TRUE(session.events.applied.empty());
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(value_of("k200"), "1");
}

// A row of it is being read again: the rest must not be shown alone.
TEST_F(RedisSinkTest, TheFirstBatchIsHeldBackUntilItsRowsAreWhole) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{3000}}) {
    server.flush_all();
    RedisSinkOptions small = options();
    small.flush.max_bytes = 2048;
    small.flush.max_transaction = 4096;
    SinkSession session(loop, server.options(), small);
    session.begin(at(0x10), at(0x22));
    session.sink.hold(true);
    for (std::size_t i = 1; i <= 4; ++i) {
      session.transaction("k" + std::to_string(i), std::string(size, 'x'), 0x20 + i);
      bool over = false;
      event::Timer later(loop, [&] { over = true; });
      later.start(event::milliseconds(5));
      run_until(loop, [&] { return over; });
      EXPECT_TRUE(server.hash("k1").empty()) << i;
    }
    session.sink.hold(false);
    session.wait_applied(0x24);
    EXPECT_FALSE(server.hash("k4").empty());
    EXPECT_EQ(session.events.failures, 0);
  }
}

TEST_F(RedisSinkTest, AdvanceIsRecordedLazilyAndNeverBeforeRows) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.wait_recorded(0x10);
  const auto started = uv_now(loop.raw());
  session.sink.advance(Lsn{0x100});
  session.sink.advance(Lsn{0x80});  // never back
  session.wait_recorded(0x100);
  EXPECT_GE(uv_now(loop.raw()) - started, 500U);
  EXPECT_EQ(stated("verified"), "0/100");
  EXPECT_TRUE(session.events.applied.empty());

  std::size_t held = 0;
  server.on_command = [&](const Words& words) -> std::optional<std::string> {
    if (words[0] != "EXEC" || held++ > 0) return std::nullopt;
    return "";
  };
  session.transaction("k", "1", 0x120);
  run_until(loop, [&] { return held == 1; });
  session.sink.advance(Lsn{0x200});
  session.sink.flush();
  bool over = false;
  event::Timer later(loop, [&] { over = true; });
  later.start(event::milliseconds(30));
  run_until(loop, [&] { return over; });
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
  EXPECT_EQ(session.events.last_recorded(), at(0x100));
  EXPECT_FALSE(session.sink.drained());
}

TEST_F(RedisSinkTest, ATransactionWithoutCommandsIsAppliedInItsTurn) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.transaction("k", "1", 0x20);
  session.sink.row(inside(0x20, 0x2f, 1));
  session.sink.commit(Lsn{0x30}, 77);
  session.wait_applied(0x30);
  EXPECT_EQ(session.events.last_applied(), at(0x30));
  session.sink.commit(Lsn{0x40}, 78);  // alone: nothing is sent for it at once
  session.wait_applied(0x40);
  EXPECT_EQ(session.events.commit_times.back(), 78);
  session.wait_recorded(0x40);
  EXPECT_EQ(stated("verified"), "0/40");
}

// A commit is told once: rows that are read long after it would make it late again and again.
TEST_F(RedisSinkTest, RowsReadTellOfNoCommit) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.transaction("k", "1", 0x20);
  session.wait_applied(0x20);
  session.read("read", "1");
  run_until(loop, [&] { return session.events.applied.size() == 2; });
  session.read("read", "2");
  session.transaction("k", "2", 0x30);
  session.wait_applied(0x30);
  EXPECT_THAT(session.events.commit_times, ElementsAre(0x20 * 1000, 0, 0x30 * 1000));
}

TEST_F(RedisSinkTest, LoadedRowsLeaveWithoutAPosition) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.read("k", "loaded");
  EXPECT_FALSE(session.sink.drained());
  run_until(loop, [&] { return value_of("k") == "loaded"; });
  EXPECT_EQ(stated("sent"), "0/10");
  session.sink.set_phase("load");
  run_until(loop, [&] { return session.sink.drained(); });
  EXPECT_EQ(stated("phase"), "load");
}

TEST_F(RedisSinkTest, ReplicasAndDiskAreWaitedFor) {
  RedisSinkOptions strict = options();
  strict.ack.replicas = 2;
  int asked = 0;
  server.on_command = [&](const Words& words) -> std::optional<std::string> {
    if (words[0] != "WAIT") return std::nullopt;
    return integer(++asked < 3 ? 1 : 2);  // the second replica is late
  };
  SinkSession session(loop, server.options(), strict);
  session.begin();
  session.transaction("k", "1", 0x20);
  session.wait_applied(0x20);
  session.wait_recorded(0x20);
  EXPECT_GE(asked, 3);
  EXPECT_GE(count_seen("SET"), 1U);
  EXPECT_EQ(session.events.failures, 0);

  RedisSinkOptions fsynced = options();
  fsynced.ack.fsynced = true;
  SinkSession old_server(loop, server.options(), fsynced);
  const RedisError too_old = error_from([&] { old_server.take_over(); });
  EXPECT_THAT(too_old.what(), HasSubstr("needs Redis 7.2"));
}

}  // namespace
}  // namespace walrelay::sinks
