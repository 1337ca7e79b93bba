// RedisSink against a fake Redis: long transactions, and how much is held.
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

TEST_F(RedisSinkTest, AnOpenTransactionIsNotShown) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.transaction("a", "1", 0x20);
  session.set("b", "1", inside(0x20, 0x2f, 1));
  session.sink.flush();
  bool over = false;
  event::Timer later(loop, [&] { over = true; });
  later.start(event::milliseconds(30));
  run_until(loop, [&] { return over; });
  EXPECT_EQ(value_of("b"), "");
  EXPECT_FALSE(session.sink.drained());
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(value_of("b"), "1");
}

TEST_F(RedisSinkTest, ALongTransactionStreamsAndIsShownAtItsCommit) {
  RedisSinkOptions small = options();
  small.flush.max_bytes = 16 * 1024;
  SinkSession session(loop, server.options(), small);
  session.begin();
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    session.set("k" + std::to_string(i), "1", inside(0x10, 0x2f, i));
    if (session.sink.full()) run_until(loop, [&] { return !session.sink.full(); });
    EXPECT_LE(session.sink.buffered(), 32U * 1024);
  }
  EXPECT_GT(count_seen("HSET"), 1000U);
  EXPECT_EQ(count_seen("EXEC"), 0U);
  EXPECT_EQ(value_of("k1"), "");
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(count_seen("EXEC"), 1U);
  EXPECT_EQ(value_of("k2000"), "1");
  EXPECT_EQ(session.sink.counters().batches, 1U);
}

// With which a transaction of some hundred rows is too long for one MULTI.
RedisSinkOptions cutting(RedisSinkOptions options) {
  options.flush.max_bytes = 4 * 1024;
  options.flush.max_transaction = 16 * 1024;
  return options;
}

TEST_F(RedisSinkTest, ATransactionBeyondTheLimitIsCut) {
  for (const bool careful : {false, true}) {
    server.flush_all();
    server.seen.clear();
    RedisSinkOptions small = cutting(options());
    small.careful = careful;
    SinkSession session(loop, server.options(), small);
    session.begin();
    for (std::uint64_t i = 1; i <= 2000; ++i) {
      session.set("k" + std::to_string(i), "1", inside(0x10, 0x2f, i));
      if (session.sink.full()) run_until(loop, [&] { return !session.sink.full() || session.events.failures > 0; });
    }
    ASSERT_EQ(session.events.failures, 0) << session.events.failure.what();
    ASSERT_GE(count_seen("EXEC"), 3U);
    const Position part = session.events.last_applied();
    EXPECT_EQ(part.committed, Lsn{0x10});
    EXPECT_EQ(part.open_commit, Lsn{0x2f});
    EXPECT_GT(part.changes, 100U);
    EXPECT_EQ(value_of("k" + std::to_string(part.changes)), "1");
    EXPECT_EQ(value_of("k2000"), "");
    session.sink.commit(Lsn{0x30}, 1);
    session.wait_recorded(0x30);
    EXPECT_EQ(value_of("k2000"), "1");
    EXPECT_EQ(stated("verified"), "0/30");
    EXPECT_TRUE(std::is_sorted(session.events.applied.begin(), session.events.applied.end()));
    EXPECT_TRUE(std::is_sorted(session.events.recorded.begin(), session.events.recorded.end()));
  }
}

const std::string kRead(200, 'x');  // the value of a row that was read from a table

// A commit that is to be shown at once waits behind them.
TEST_F(RedisSinkTest, RowsReadLeaveRoomWhileCommitsCome) {
  std::vector<std::size_t> taken;
  for (const bool commits : {false, true}) {
    server.flush_all();
    RedisSinkOptions small = options();
    small.flush.max_bytes = 64 * 1024;
    SinkSession session(loop, server.options(), small);
    session.begin();
    if (commits) {
      session.transaction("a", "1", 0x20);
      session.wait_applied(0x20);
    }
    EXPECT_EQ(session.sink.hurried(), commits);
    std::size_t rows = 0;
    for (; session.sink.has_room(); ++rows) session.read("read" + std::to_string(rows), kRead);
    taken.push_back(rows);
  }
  EXPECT_GT(taken[0], 50U);
  EXPECT_LE(taken[1], taken[0] / 4 + 1);
  EXPECT_GT(taken[1], 10U);
}

// Whoever asked whether something is shown, and it was not, hears when it is; also of what brings no row.
TEST_F(RedisSinkTest, TellsWhoWaitsForSomethingToBeShown) {
  RedisSinkOptions slow = options();
  slow.flush.interval = std::chrono::hours(1);
  SinkSession session(loop, server.options(), slow);
  session.begin();
  EXPECT_TRUE(session.sink.has_shown(session.sink.ticket())) << "nothing was appended";
  session.transaction("a", "1", 0x20);
  const std::uint64_t ticket = session.sink.ticket();
  EXPECT_FALSE(session.sink.has_shown(ticket));
  const int told = session.events.writable;
  session.sink.flush();
  run_until(loop, [&] { return session.events.writable > told; });
  EXPECT_TRUE(session.sink.has_shown(ticket));
  EXPECT_EQ(session.events.last_applied(), at(0x20));
}

// Who reads them may be the one that must read what the batch waits for.
TEST_F(RedisSinkTest, WhatIsHeldBackLeavesRoomForRowsRead) {
  RedisSinkOptions small = options();
  small.flush.max_bytes = 64 * 1024;
  SinkSession session(loop, server.options(), small);
  session.begin(at(0x10), at(0x40));
  std::size_t rows = 0;
  while (session.sink.has_room()) session.read("read" + std::to_string(++rows), kRead);
  EXPECT_LT(rows, 100U);
  const int told = session.events.writable;
  session.sink.hold(true);
  run_until(loop, [&] { return session.events.writable > told; });
  while (session.sink.has_room()) session.read("read" + std::to_string(++rows), kRead);
  EXPECT_TRUE(session.sink.full());
  EXPECT_GT(rows, 200U);
  EXPECT_EQ(count_seen("EXEC"), 0U);
}

// Rows that are read from tables come into the same MULTI: what they weigh is not the transaction's.
TEST_F(RedisSinkTest, AShortTransactionIsNotCutForRowsReadMeanwhile) {
  SinkSession session(loop, server.options(), cutting(options()));
  session.begin();
  for (std::uint64_t i = 1; i <= 4; ++i) {
    session.set("k" + std::to_string(i), "1", inside(0x10, 0x2f, i));
    for (int row = 1; row <= 200; ++row) {
      session.read("read" + std::to_string(row), kRead);
      if (session.sink.full()) run_until(loop, [&] { return !session.sink.full(); });
    }
  }
  EXPECT_GT(count_seen("HSET"), 400U);
  EXPECT_EQ(count_seen("EXEC"), 0U) << "a reader would see a part of the transaction";
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(count_seen("EXEC"), 1U);
  EXPECT_EQ(value_of("k1") + value_of("k4"), "11");
}

TEST_F(RedisSinkTest, FullUntilRedisReads) {
  RedisSinkOptions small = options();
  small.flush.max_bytes = 64 * 1024;
  SinkSession session(loop, server.options(), small);
  session.begin();
  server.deaf = true;
  std::uint64_t lsn = 0x20;
  std::size_t most = 0;
  const std::string value(1000, 'x');
  // Feed whenever it lets us; the sockets between take some megabytes, then nothing moves any more.
  int idle_turns = 0;
  while (idle_turns < 200) {
    if (session.sink.full()) {
      ++idle_turns;
      bool over = false;
      event::Timer later(loop, [&] { over = true; });
      later.start(event::milliseconds(1));
      run_until(loop, [&] { return over; });
      continue;
    }
    idle_turns = 0;
    session.transaction("k" + std::to_string(lsn), value, lsn);
    lsn += 0x10;
    most = std::max(most, session.sink.buffered());
    ASSERT_LT(lsn, 0x10000000U) << "it never became full";
  }
  EXPECT_LE(most, 3 * small.flush.max_bytes);
  EXPECT_TRUE(session.events.applied.empty());
  EXPECT_EQ(session.events.failures, 0);
}

// What counts is what will be sent: a few rows that change all the time fill no batch, nor memory.
TEST_F(RedisSinkTest, RowsThatChangeAgainAndAgainLeaveOnce) {
  RedisSinkOptions slow = options();
  slow.flush.interval = event::milliseconds(60000);
  slow.flush.batch_size = 10;
  slow.flush.max_bytes = 16 * 1024;
  SinkSession session(loop, server.options(), slow);
  session.begin();
  session.transaction("a", "1", 0x20);
  session.wait_applied(0x20);
  for (std::uint64_t i = 1; i <= 5000; ++i) {
    const std::uint64_t end = 0x30 + 2 * i;
    session.set("hot" + std::to_string(i % 5), std::to_string(i), inside(end - 2, end - 1, 1), 1, Effect::whole);
    session.sink.commit(Lsn{end}, 1);
    ASSERT_FALSE(session.sink.full());
    ASSERT_LE(session.sink.buffered(), slow.flush.max_bytes / 2);
  }
  EXPECT_EQ(session.sink.counters().batches, 1U);
  session.sink.flush();
  session.wait_applied(0x30 + 2 * 5000);
  EXPECT_EQ(session.sink.counters().batches, 2U);
  EXPECT_EQ(session.sink.counters().commands, 6U);
  EXPECT_EQ(value_of("hot0"), "5000");
}

// In one transaction, too: it is not torn for what it has replaced itself.
TEST_F(RedisSinkTest, ATransactionThatChangesAFewRowsAgainAndAgainIsHeld) {
  RedisSinkOptions slow = options();
  slow.flush.interval = event::milliseconds(60000);
  slow.flush.max_bytes = 16 * 1024;
  SinkSession session(loop, server.options(), slow);
  session.begin();
  session.transaction("a", "1", 0x20);
  session.wait_applied(0x20);
  for (std::uint64_t end : {0x30, 0x40, 0x50}) {
    for (std::uint64_t i = 1; i <= 2000; ++i) {
      session.set("hot" + std::to_string(i % 5), std::to_string(end + i), inside(end - 2, end - 1, i), 1,
                  Effect::whole);
      ASSERT_FALSE(session.sink.full());
    }
    session.sink.commit(Lsn{end}, 1);
  }
  session.sink.flush();
  session.wait_applied(0x50);
  EXPECT_EQ(session.sink.counters().batches, 2U);
  EXPECT_EQ(session.sink.counters().commands, 6U);
  EXPECT_EQ(value_of("hot0"), std::to_string(0x50 + 2000));
}

// The owner feeds from on_writable and on_applied, as the pipeline does.
TEST_F(RedisSinkTest, FeedingFromTheEvents) {
  RedisSinkOptions small = options();
  small.flush.max_bytes = 8 * 1024;
  small.flush.batch_size = 10;
  SinkSession session(loop, server.options(), small);
  session.begin();
  std::uint64_t lsn = 0x20;
  const auto feed = [&] {
    while (!session.sink.full() && lsn < 0x20 + 2000 * 2) {
      lsn += 2;
      session.transaction("k" + std::to_string(lsn % 100), std::to_string(lsn), lsn);
    }
  };
  session.events.when_writable = feed;
  session.events.when_applied = feed;
  feed();
  session.wait_recorded(0x20 + 2000 * 2);
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
  EXPECT_EQ(session.sink.counters().transactions, 2000U);
  EXPECT_TRUE(std::is_sorted(session.events.applied.begin(), session.events.applied.end()));
}

}  // namespace
}  // namespace walrelay::sinks
