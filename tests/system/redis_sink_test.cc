// RedisSink against a real Redis: what it answers when it is full, read-only, emptied, taken over, killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/servers.h"
#include "tests/support/sink_session.h"

namespace walrelay::sinks {
namespace {

using support::Redis;
using testing::HasSubstr;

class RedisSinkSystemTest : public testing::Test {
 protected:
  static RedisOptions socket_of(const Redis& redis) {
    RedisOptions options;
    options.unix_path = redis.socket_path();
    return options;
  }
  static RedisSinkOptions options() {
    RedisSinkOptions options;
    options.slot = "s";
    options.flush.interval = event::milliseconds(0);
    options.describe = [](std::uint32_t write) { return "mapping m" + std::to_string(write); };
    return options;
  }
  event::Loop loop;
};

TEST_F(RedisSinkSystemTest, WritesAndRecords) {
  Redis redis;
  SinkSession session(loop, socket_of(redis), options());
  EXPECT_TRUE(session.take_over().empty_database);
  session.sink.start(SinkSession::origin(), "load", at(0x10), at(0x10));
  for (std::uint64_t i = 1; i <= 1000; ++i)
    session.transaction("k" + std::to_string(i), std::to_string(i), 0x10 + i * 4);
  session.sink.set_phase("stream");
  session.sink.flush();
  session.wait_recorded(0x10 + 4000);
  run_until(loop, [&] { return session.sink.drained(); });
  EXPECT_EQ(redis.command("HGET", "k1000", "v"), "1000");
  const auto checkpoint = checkpoint_from_fields(redis.hgetall("walrelay:{s}:checkpoint"));
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(checkpoint->verified, at(0x10 + 4000));
  EXPECT_EQ(checkpoint->phase, "stream");
  EXPECT_EQ(checkpoint->epoch, 1U);
  EXPECT_EQ(checkpoint->origin.system_identifier, "7000");

  SinkSession next(loop, socket_of(redis), options());
  const auto found = next.take_over();
  EXPECT_FALSE(found.empty_database);
  EXPECT_EQ(found.checkpoint->verified, at(0x10 + 4000));
}

TEST_F(RedisSinkSystemTest, SaysWhyABatchIsRefused) {
  struct Case {
    std::string name;
    std::function<void(Redis&)> prepare;
    std::string code, words;
    bool refused;
  };
  const std::vector<Case> cases = {
      {"WRONGTYPE", [](Redis& r) { r.command("SET", "k", "text"); }, "WRONGTYPE", "refused 1 of 1 commands", true},
      {"OOM",
       [](Redis& r) {
         r.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
         r.command("CONFIG", "SET", "maxmemory", "1");
       },
       "OOM", "OOM command not allowed", false},
      {"READONLY", [](Redis& r) { r.command("REPLICAOF", "127.0.0.1", "1"); }, "READONLY", "READONLY You can't", false},
      {"NOPERM", [](Redis& r) { r.command("ACL", "SETUSER", "default", "-hset"); }, "NOPERM", "hset", false},
      {"NOREPLICAS", [](Redis& r) { r.command("CONFIG", "SET", "min-replicas-to-write", "2"); }, "NOREPLICAS",
       "NOREPLICAS Not enough good replicas", false},
      {"FLUSHALL", [](Redis& r) { r.command("FLUSHALL"); }, "FENCED", "it was emptied", false},
      {"another owner", [](Redis& r) { r.command("INCR", "walrelay:{s}:fence"); }, "FENCED",
       "another walrelay has taken over", false},
      {"CLIENT KILL", [](Redis& r) { r.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); }, "LOST",
       "lost the connection to Redis at ", false},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    Redis redis;
    SinkSession session(loop, socket_of(redis), options());
    session.begin();
    session.wait_recorded(0x10);
    one.prepare(redis);
    session.transaction("k", "secret", 0x20);
    session.wait_failed();
    EXPECT_EQ(session.events.failure.code(), one.code);
    EXPECT_THAT(session.events.failure.what(), HasSubstr(one.words));
    EXPECT_THAT(session.events.failure.what(), testing::Not(HasSubstr("secret")));
    EXPECT_EQ(session.events.refused, one.refused);
    EXPECT_EQ(session.events.last_recorded(), at(0x10));
    EXPECT_TRUE(session.events.applied.empty());
  }
}

TEST_F(RedisSinkSystemTest, DeadLetters) {
  Redis redis;
  RedisSinkOptions tolerant = options();
  tolerant.careful = true;
  tolerant.policy = [](std::uint32_t) { return OnPoison::dead_letter; };
  SinkSession session(loop, socket_of(redis), tolerant);
  session.begin();
  redis.command("SET", "bad", "text");
  session.transaction("bad", "1", 0x20);
  session.transaction("good", "1", 0x30);
  session.wait_recorded(0x30);
  EXPECT_EQ(redis.command("XLEN", "walrelay:{s}:dead"), "1");
  const std::string entry = redis.command("XRANGE", "walrelay:{s}:dead", "-", "+");
  for (const std::string word : {"mapping m1", "bad", "WRONGTYPE", "0/30"}) EXPECT_THAT(entry, HasSubstr(word));
  EXPECT_EQ(redis.command("HGET", "good", "v"), "1");
}

TEST_F(RedisSinkSystemTest, TruncatesManyKeysInOneTransaction) {
  Redis redis;
  redis.command("EVAL", "for i = 1, 50000 do redis.call('HSET', 'k:' .. i, 'v', 'old') end", "0");
  redis.command("SET", "other", "x");
  RedisSinkOptions small = options();
  small.flush.max_bytes = 64 * 1024;
  SinkSession session(loop, socket_of(redis), small);
  session.begin();
  OwnedKeys owned;
  owned.glob = "k:*";
  owned.owns = [](std::string_view key) { return key.starts_with("k:"); };
  session.sink.remove_owned({owned}, {1});
  session.sink.row(inside(0x10, 0x2f, 1));
  std::size_t most = 0;
  run_until(loop, [&] {
    most = std::max(most, session.sink.buffered());
    return !session.sink.full() || session.events.failures > 0;
  });
  ASSERT_EQ(session.events.failures, 0) << session.events.failure.what();
  EXPECT_EQ(redis.command("DBSIZE"), "50002");  // with the fence: nothing is gone yet
  EXPECT_LE(most, 3 * small.flush.max_bytes);
  session.set("k:1", "new", inside(0x10, 0x2f, 2));
  session.sink.commit(Lsn{0x30}, 1);
  session.wait_recorded(0x30);
  EXPECT_EQ(redis.keys("k:*"), std::vector<std::string>{"k:1"});
  EXPECT_EQ(redis.command("GET", "other"), "x");
}

TEST_F(RedisSinkSystemTest, WaitsForARealReplica) {
  Redis redis;
  RedisSinkOptions strict = options();
  strict.ack.replicas = 1;
  SinkSession session(loop, socket_of(redis), strict);
  session.begin();
  session.transaction("k", "1", 0x20);
  session.wait_applied(0x20);
  EXPECT_TRUE(session.events.recorded.empty());
  Redis replica;
  replica.command("REPLICAOF", "127.0.0.1", std::to_string(redis.port()));
  session.wait_recorded(0x20);
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
  EXPECT_EQ(replica.command("HGET", "k", "v"), "1");
}

// The server is killed without a warning, comes back with what its log file holds, and the replay from its own
// checkpoint makes it whole.
TEST_F(RedisSinkSystemTest, KilledServersAreCaughtUp) {
  Redis redis({.arguments = {"--appendonly", "yes", "--appendfsync", "always"}});
  std::mt19937_64 random(7);
  constexpr std::uint64_t kTransactions = 3000;
  bool finished = false;
  for (int life = 0; !finished; ++life) {
    ASSERT_LT(life, 20);
    SinkSession session(loop, socket_of(redis), options());
    const auto found = session.take_over();
    const Position verified = found.checkpoint ? found.checkpoint->verified : at(1);
    session.sink.start(SinkSession::origin(), "stream", verified, found.checkpoint ? found.checkpoint->sent : verified);
    const std::uint64_t kill_at = life < 5 ? random() % kTransactions : kTransactions + 1;
    for (std::uint64_t i = 1; i <= kTransactions && session.events.failures == 0; ++i) {
      if (at(i * 10) > verified) session.transaction("k" + std::to_string(i % 50), std::to_string(i), i * 10);
      if (i % 20 == 0) uv_run(loop.raw(), UV_RUN_NOWAIT);
      if (i == kill_at) redis.kill();
      if (session.sink.full()) run_until(loop, [&] { return session.events.failures > 0 || !session.sink.full(); });
    }
    session.sink.flush();
    run_until(loop, [&] { return session.events.failures > 0 || session.sink.drained(); });
    finished = session.events.failures == 0;
    if (finished) break;
    EXPECT_EQ(session.events.failure.code(), "LOST") << session.events.failure.what();
    if (!redis.running()) redis.start();
    ASSERT_TRUE(support::eventually([&] { return redis.command("PING") == "PONG"; }));  // it loads its file first
    // What was declared recorded is in the log file.
    const auto after = checkpoint_from_fields(redis.hgetall("walrelay:{s}:checkpoint"));
    if (session.events.last_recorded() > Position{}) {
      ASSERT_TRUE(after.has_value());
      EXPECT_GE(after->verified, session.events.last_recorded());
    }
  }
  for (std::uint64_t i = kTransactions - 49; i <= kTransactions; ++i) {
    EXPECT_EQ(redis.command("HGET", "k" + std::to_string(i % 50), "v"), std::to_string(i));
  }
}

}  // namespace
}  // namespace walrelay::sinks
