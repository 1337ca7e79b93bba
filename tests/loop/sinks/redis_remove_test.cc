// RedisSink against a fake Redis: TRUNCATE.
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

OwnedKeys owned(const std::string& prefix) {
  return {prefix + "*", [prefix](std::string_view key) { return key.starts_with(prefix) && !key.ends_with("!"); }};
}

class RedisRemoveTest : public RedisSinkTest {
 protected:
  void truncate(SinkSession& session, const Position& position, const std::vector<std::string>& prefixes = {"k:"}) {
    std::vector<OwnedKeys> all;
    std::vector<std::uint32_t> writes;
    for (const std::string& prefix : prefixes) {
      all.push_back(owned(prefix));
      writes.push_back(static_cast<std::uint32_t>(writes.size() + 1));
    }
    session.sink.remove_owned(all, writes);
    session.sink.row(position);
    EXPECT_TRUE(session.sink.full());
  }
  void wait_writable(SinkSession& session) {
    run_until(loop, [&] { return !session.sink.full() || session.events.failures > 0; });
    ASSERT_EQ(session.events.failures, 0) << session.events.failure.what();
  }
  // Rows of one transaction, while Redis reads; gives the number of changes.
  std::uint64_t set_rows(SinkSession& session, const std::string& prefix, std::uint64_t count, std::uint32_t write) {
    for (std::uint64_t i = 1; i <= count; ++i) {
      session.set(prefix + std::to_string(i - 1), "1", inside(0x10, 0x2f, i), write);
      if (session.sink.full()) wait_writable(session);
    }
    return count;
  }
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) server.keys["k:" + std::to_string(i)] = {'h', "", {{"v", "old"}}, {}};
    server.keys["foreign"] = {'s', "x", {}, {}};
    server.keys["k:mine!"] = {'s', "x", {}, {}};  // the pattern matches, the mapping does not own it
  }
  [[nodiscard]] std::size_t left() const {
    std::size_t count = 0;
    for (const auto& [key, value] : server.keys) count += key.starts_with("k:") && !key.ends_with("!") ? 1 : 0;
    return count;
  }
};

TEST_F(RedisRemoveTest, RemovesWhatStandsInRedisInOrderAndInOneTransaction) {
  fill(25);
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.transaction("k:earlier", "1", 0x20);
  truncate(session, inside(0x20, 0x2f, 1));
  wait_writable(session);
  EXPECT_EQ(value_of("k:1"), "old");  // the transaction has not ended
  session.set("k:1", "new", inside(0x20, 0x2f, 2));
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(left(), 1U);
  EXPECT_EQ(value_of("k:1"), "new");
  EXPECT_EQ(server.keys.count("foreign"), 1U);
  EXPECT_EQ(server.keys.count("k:mine!"), 1U);
  EXPECT_GT(session.events.writable, 0);
}

TEST_F(RedisRemoveTest, RemovesWhatStandsInTheBatch) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.set("k:a", "1", inside(0x10, 0x2f, 1));
  session.set("x:a", "1", inside(0x10, 0x2f, 2), 7);
  truncate(session, inside(0x10, 0x2f, 3));
  wait_writable(session);
  session.set("k:b", "1", inside(0x10, 0x2f, 4));
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(value_of("k:a"), "");
  EXPECT_EQ(value_of("k:b"), "1");
  EXPECT_EQ(value_of("x:a"), "1");
}

TEST_F(RedisRemoveTest, SeveralMappingsInOnePass) {
  fill(5);
  server.keys["j:1"] = {'h', "", {{"v", "old"}}, {}};
  SinkSession session(loop, server.options(), options());
  session.begin();
  truncate(session, inside(0x10, 0x2f, 1), {"k:", "j:"});
  session.sink.commit(Lsn{0x30}, 1);  // before it could be done
  session.wait_applied(0x30);
  EXPECT_EQ(left(), 0U);
  EXPECT_EQ(server.keys.count("j:1"), 0U);
  for (const Words& words : server.seen) {
    EXPECT_EQ(std::count(words.begin(), words.end(), "MATCH"), 0);
  }
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
}

TEST_F(RedisRemoveTest, TwoAskedForAtOnceAndOneMoreMeanwhile) {
  fill(9);
  server.keys["j:1"] = {'h', "", {{"v", "old"}}, {}};
  server.keys["l:1"] = {'h', "", {{"v", "old"}}, {}};
  SinkSession session(loop, server.options(), options());
  session.begin();
  truncate(session, inside(0x10, 0x2f, 1));
  truncate(session, inside(0x10, 0x2f, 2), {"j:"});
  run_until(loop, [&] { return count_seen("SCAN") > 0; });
  truncate(session, inside(0x10, 0x2f, 3), {"l:"});
  wait_writable(session);
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_applied(0x30);
  EXPECT_EQ(left(), 0U);
  EXPECT_EQ(server.keys.count("j:1") + server.keys.count("l:1"), 0U);
}

// A removal that belongs to no transaction leaves by itself.
TEST_F(RedisRemoveTest, OutsideATransaction) {
  fill(5);
  SinkSession session(loop, server.options(), options());
  session.begin();
  session.sink.remove_owned({owned("k:")}, {1});
  run_until(loop, [&] { return left() == 0; });
  run_until(loop, [&] { return session.sink.drained(); });
  EXPECT_EQ(stated("sent"), "0/10");
}

// The keys of rows that stand in the open MULTI already are removed too, and the transaction stays whole.
TEST_F(RedisRemoveTest, InsideALongTransaction) {
  for (const bool same_write : {true, false}) {
    SCOPED_TRACE(same_write);
    server.flush_all();
    fill(200);
    RedisSinkOptions small = options();
    small.flush.max_bytes = 4 * 1024;
    SinkSession session(loop, server.options(), small);
    session.begin();
    std::uint64_t change = set_rows(session, same_write ? "k:" : "x:", 300, same_write ? 1 : 7);
    EXPECT_GT(server.received, small.flush.max_bytes) << "too little has streamed for this test to say anything";
    truncate(session, inside(0x10, 0x2f, ++change));
    wait_writable(session);
    EXPECT_TRUE(session.events.applied.empty());
    session.set("k:last", "1", inside(0x10, 0x2f, ++change));
    session.sink.commit(Lsn{0x30}, 1);
    session.wait_recorded(0x30);
    EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
    EXPECT_THAT(session.events.applied, ElementsAre(at(0x30)));
    EXPECT_EQ(left(), 1U);
    EXPECT_EQ(value_of("x:299"), same_write ? "" : "1");
  }
}

// So many that their keys cannot be kept: then the transaction is cut before the TRUNCATE.
TEST_F(RedisRemoveTest, InsideATransactionOfVeryManyRows) {
  RedisSinkOptions small = options();
  small.flush.max_bytes = 1024;
  SinkSession session(loop, server.options(), small);
  session.begin();
  std::uint64_t change = set_rows(session, "k:", 3000, 1);
  truncate(session, inside(0x10, 0x2f, ++change));
  wait_writable(session);
  EXPECT_EQ(session.events.last_applied(), inside(0x10, 0x2f, 3000));
  session.set("k:last", "1", inside(0x10, 0x2f, ++change));
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_recorded(0x30);
  EXPECT_EQ(left(), 1U);
}

// After a crash readers have seen the state at `sent`: while that range is repeated, nothing may leave before its end,
// also where rows that a TRUNCATE has to remove stand in the open MULTI already.
TEST_F(RedisRemoveTest, NothingIsShownBeforeWhatWasSent) {
  for (const bool careful : {false, true}) {
    SCOPED_TRACE(careful);
    server.flush_all();
    server.seen.clear();
    server.keys["k:seen"] = {'h', "", {{"v", "9"}}, {}};
    RedisSinkOptions small = options();
    small.flush.max_bytes = 1024;
    small.careful = careful;
    SinkSession session(loop, server.options(), small);
    session.begin(at(0x10), at(0x40));
    session.transaction("k:seen", "1", 0x20);
    for (int i = 0; i < 30; ++i) session.set("k:" + std::to_string(i), "1", inside(0x20, 0x2f, 1));
    session.sink.commit(Lsn{0x30}, 1);
    std::uint64_t change = 0;
    for (int i = 30; i < 60; ++i) session.set("k:" + std::to_string(i), "1", inside(0x30, 0x3f, ++change));
    run_until(loop, [&] { return count_seen("HSET") >= 30; });
    truncate(session, inside(0x30, 0x3f, ++change));
    wait_writable(session);
    EXPECT_TRUE(session.events.applied.empty());
    EXPECT_EQ(value_of("k:seen"), "9");
    session.set("k:seen", "9", inside(0x30, 0x3f, ++change));
    session.sink.commit(Lsn{0x40}, 1);
    session.wait_recorded(0x40);
    EXPECT_THAT(session.events.applied, ElementsAre(at(0x40)));
    EXPECT_EQ(left(), 1U);
    EXPECT_EQ(value_of("k:seen"), "9");
  }
}

// More keys than memory: the UNLINKs stream into the MULTI, and beyond its limit it is cut before the TRUNCATE, so that
// a restart removes again.
TEST_F(RedisRemoveTest, MoreKeysThanMemory) {
  fill(3000);
  RedisSinkOptions small = options();
  small.flush.max_bytes = 2 * 1024;
  small.flush.max_transaction = 8 * 1024;
  SinkSession session(loop, server.options(), small);
  session.begin();
  session.transaction("x", "1", 0x20);
  std::size_t most = 0;
  server.on_executed = [&] { most = std::max(most, session.sink.buffered()); };
  truncate(session, inside(0x20, 0x2f, 1));
  wait_writable(session);
  EXPECT_GE(session.events.applied.size(), 2U);
  EXPECT_EQ(session.events.last_applied(), at(0x20));
  EXPECT_LE(most, 3 * small.flush.max_bytes);
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_recorded(0x30);
  EXPECT_EQ(left(), 0U);
}

TEST_F(RedisRemoveTest, AFailedScanEndsTheSession) {
  fill(5);
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] == "SCAN") return error("NOPERM this user has no permissions to run the 'scan' command");
    return std::nullopt;
  };
  SinkSession session(loop, server.options(), options());
  session.begin();
  truncate(session, inside(0x10, 0x2f, 1));
  session.wait_failed();
  EXPECT_EQ(session.events.failure.code(), "NOPERM");
}

// Broken at every reply of a removal: the session fails, or everything is gone.
TEST_F(RedisRemoveTest, BrokenAtEveryReply) {
  for (std::size_t k = 0;; ++k) {
    SCOPED_TRACE(k);
    ASSERT_LT(k, 1000U);
    server.flush_all();
    fill(20);
    server.replies = 0;
    server.break_at_reply = FakeRedis::kNever;
    SinkSession session(loop, server.options(), options());
    session.begin();
    server.replies = 0;
    server.break_at_reply = k;
    session.transaction("x", "1", 0x20);
    truncate(session, inside(0x20, 0x2f, 1));
    session.sink.commit(Lsn{0x30}, 1);
    session.wait_recorded(0x30);
    if (session.events.last_applied() >= at(0x30)) {
      EXPECT_EQ(left(), 0U);
    }
    if (session.events.failures == 0) break;
    run_until(loop, [&] { return server.sessions() == 0; });
  }
}

}  // namespace
}  // namespace walrelay::sinks
