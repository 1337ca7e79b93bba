// RedisSink against a fake Redis: keys that caches are to lose.
#include "sinks/invalidation.h"
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

using std::chrono::milliseconds;

const std::string kAgain = "walrelay:{s}:again";

// The two scripts, by a fake clock that runs with the loop's and never says the same twice.
class RedisInvalidateTest : public RedisSinkTest {
 protected:
  RedisInvalidateTest() {
    invalidation_scripts();
    server.on_script = [this](const Words& words) { return run_script(words); };
  }

  std::string run_script(const Words& words) {
    now_ = std::max(now_ + 0.001, static_cast<double>(uv_now(loop.raw())));
    const bool noting = words.at(1) == invalidation_scripts().note.sha();
    EXPECT_EQ(words.at(3), kAgain);
    std::string reply = noting ? note(words.at(5), std::stod(words.at(4))) : take_turn(words);
    if (notes.empty()) {
      server.keys.erase(kAgain);
    } else {
      server.keys[kAgain] = {'z', "", {}, {}};
    }
    return reply;
  }
  std::string note(const std::string& member, double delay) {
    double& score = notes[member];
    score = std::max(score, now_ + delay);
    return integer(1);
  }
  std::string take_turn(const Words& words) {
    for (std::size_t i = 5; i + 1 < words.size(); i += 2) {
      const auto noted = notes.find(words[i]);
      if (noted != notes.end() && noted->second == std::stod(words[i + 1])) notes.erase(noted);
    }
    std::vector<std::string> due;
    double soonest = -1;
    for (const auto& [member, score] : notes) {
      if (score <= now_) {
        char text[64];
        std::snprintf(text, sizeof text, "%.17g", score);
        due.push_back(bulk(member));
        due.push_back(bulk(text));
      } else if (soonest < 0 || score < soonest) {
        soonest = score;
      }
    }
    const long long wait = soonest < 0 ? -1 : static_cast<long long>(soonest - now_) + 1;
    return array({integer(due.empty() ? wait : 0), array(due)});
  }

  void put(const std::string& key) { server.keys[key] = {'s', "x", {}, {}}; }
  [[nodiscard]] bool has(const std::string& key) const { return server.keys.count(key) != 0; }

  // A transaction that asks for it; its commit record stands just before `end`.
  static void ask(SinkSession& session, const std::vector<std::string>& globs, std::uint64_t end,
                  milliseconds again = milliseconds(0)) {
    const Invalidation invalidation(1, kAgain, again);
    for (const std::string& glob : globs) invalidation.pattern(glob, session.sink.batch());
    session.sink.row(inside(end - 2, end - 1, 1));
    session.sink.commit(Lsn{end}, static_cast<std::int64_t>(end) * 1000);
  }

  double now_ = 0;
  std::map<std::string, double> notes;  // member -> when it is due
};

TEST_F(RedisInvalidateTest, RemovesWhatMatchesAndNothingElse) {
  for (const char* key : {"cache:1", "cache:2", "cach", "other", "walrelay:{s}:cache:1", "bundle:7:a", "bundle:8:a"}) {
    put(key);
  }
  SinkSession session(loop, server.options(), options());
  session.begin();
  ask(session, {"cache:*", "bundle:7:*", "walrelay:*"}, 0x20);
  session.wait_applied(0x20);
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
  for (const char* key : {"cache:1", "cache:2", "bundle:7:a"}) EXPECT_FALSE(has(key)) << key;
  for (const char* key : {"cach", "other", "walrelay:{s}:cache:1", "bundle:8:a"}) EXPECT_TRUE(has(key)) << key;
  run_until(loop, [&] { return notes.empty(); });
  EXPECT_EQ(session.sink.counters().invalidation_scans, 1U);
  EXPECT_EQ(session.sink.counters().invalidated_keys, 3U);
  EXPECT_EQ(session.sink.counters().invalidated.at("").patterns, 3U);
  EXPECT_EQ(count_seen("KEYS"), 0U);
}

TEST_F(RedisInvalidateTest, WhoAsksForNothingHasNoOtherConnection) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  const Invalidation invalidation(1, kAgain, milliseconds(0));
  put("cache:1");
  invalidation.key("cache:1", session.sink.batch());
  session.transaction("k", "1", 0x20);
  session.wait_recorded(0x20);
  EXPECT_FALSE(has("cache:1"));
  EXPECT_EQ(server.sessions(), 1U);
  EXPECT_EQ(session.sink.counters().invalidated.at("").keys, 1U);
}

// Who waits for a position finds nothing old, also of what came after; and while keys are looked for, rows go on.
TEST_F(RedisInvalidateTest, APositionCountsWhenItsKeysAreGone) {
  put("cache:1");
  SinkSession session(loop, server.options(), options());
  session.begin();
  bool scanned = false;
  server.on_command = [&](const Words& words) -> std::optional<std::string> {
    if (words[0] != "SCAN" || scanned) return std::nullopt;
    scanned = true;
    session.transaction("k:2", "1", 0x30);
    ask(session, {"cache:*"}, 0x40);
    session.transaction("k:3", "1", 0x50);
    return std::nullopt;
  };
  std::vector<std::string> verified_when_shown;
  server.on_executed = [&] {
    if (has("k:2")) verified_when_shown.push_back(stated("verified"));
  };
  bool gone_when_applied = false;
  session.events.when_applied = [&] {
    if (session.events.applied.size() == 1) gone_when_applied = !has("cache:1");
  };
  session.transaction("k:1", "1", 0x18);
  session.wait_applied(0x18);
  session.events.applied.clear();
  ask(session, {"cache:*"}, 0x20);
  session.wait_recorded(0x50);
  EXPECT_TRUE(gone_when_applied);
  EXPECT_TRUE(std::is_sorted(session.events.applied.begin(), session.events.applied.end()));
  EXPECT_EQ(session.events.last_applied(), at(0x50));
  ASSERT_FALSE(verified_when_shown.empty());
  EXPECT_EQ(verified_when_shown.front(), "0/18") << "what is not removed yet is not verified";
  EXPECT_EQ(session.sink.counters().invalidation_scans, 2U) << "what came during the first pass needs another";
}

TEST_F(RedisInvalidateTest, OnePassForAllThatAFlushAsksFor) {
  for (int i = 0; i < 50; ++i) put("cache:" + std::to_string(i));
  RedisSinkOptions slow = options();
  slow.flush.interval = milliseconds(20);
  SinkSession session(loop, server.options(), slow);
  session.begin();
  for (std::uint64_t end = 0x20; end < 0x420; end += 0x10)
    ask(session, {"cache:" + std::to_string(end % 50), "cache:*"}, end);
  session.wait_applied(0x410);
  EXPECT_LE(session.sink.counters().invalidation_scans, session.sink.counters().batches);
  EXPECT_LE(session.sink.counters().invalidation_scans, 2U);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(has("cache:" + std::to_string(i)));
}

TEST_F(RedisInvalidateTest, DrainedWhenItIsDone) {
  put("cache:1");
  SinkSession session(loop, server.options(), options());
  session.begin();
  ask(session, {"cache:*"}, 0x20);
  EXPECT_FALSE(session.sink.drained());
  session.sink.flush();
  run_until(loop, [&] { return session.sink.drained(); });
  EXPECT_FALSE(has("cache:1"));
  EXPECT_EQ(session.events.last_recorded(), at(0x20));
}

TEST_F(RedisInvalidateTest, OnceMoreAfterAWhile) {
  put("cache:1");
  SinkSession session(loop, server.options(), options());
  session.begin();
  const Invalidation key(1, kAgain, milliseconds(40));
  key.key("single", session.sink.batch());
  ask(session, {"cache:*"}, 0x20, milliseconds(40));
  session.wait_applied(0x20);
  EXPECT_FALSE(has("cache:1"));
  put("cache:1");  // by a reader that had read before
  put("single");
  run_until(loop, [&] { return !has("cache:1") && !has("single"); });
  run_until(loop, [&] { return notes.empty(); });
  EXPECT_EQ(session.events.failures, 0) << session.events.failure.what();
}

// A note that is made anew while it is carried out stays.
TEST_F(RedisInvalidateTest, WhatIsAskedForDuringThePassIsNotForgotten) {
  SinkSession session(loop, server.options(), options());
  session.begin();
  bool again = false;
  server.on_command = [&](const Words& words) -> std::optional<std::string> {
    if (words[0] != "SCAN" || again) return std::nullopt;
    again = true;
    now_ += 0.001;
    note("pcache:*", 0);
    return std::nullopt;
  };
  ask(session, {"cache:*"}, 0x20);
  run_until(loop, [&] { return again && notes.empty(); });
  EXPECT_EQ(session.sink.counters().invalidation_scans, 2U);
}

TEST_F(RedisInvalidateTest, AFormerOwnersNotesAreCarriedOut) {
  put("cache:1");
  put("single");
  notes = {{"pcache:*", 1}, {"ksingle", 2}};
  server.keys[kAgain] = {'z', "", {}, {}};
  SinkSession session(loop, server.options(), options());
  session.begin();
  run_until(loop, [&] { return notes.empty(); });
  EXPECT_FALSE(has("cache:1"));
  EXPECT_FALSE(has("single"));
}

TEST_F(RedisInvalidateTest, AFailedScanEndsTheSession) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] == "SCAN") return error("NOPERM this user has no permissions to run the 'scan' command");
    return std::nullopt;
  };
  SinkSession session(loop, server.options(), options());
  session.begin();
  ask(session, {"cache:*"}, 0x20);
  session.wait_failed();
  EXPECT_EQ(session.events.failure.code(), "NOPERM");
  EXPECT_TRUE(session.events.applied.empty());
}

// Broken at every reply: what was asked for is done by whoever comes next, whether or not the batch comes again.
TEST_F(RedisInvalidateTest, BrokenAtEveryReply) {
  for (std::size_t k = 0;; ++k) {
    SCOPED_TRACE(k);
    ASSERT_LT(k, 1000U);
    server.flush_all();
    notes.clear();
    for (const char* key : {"cache:1", "cache:2", "bundle:1", "other"}) put(key);
    server.replies = 0;
    server.break_at_reply = FakeRedis::kNever;
    bool broken = false;
    {
      SinkSession session(loop, server.options(), options());
      session.begin();
      server.replies = 0;
      server.break_at_reply = k;
      server.run_before_break = k % 2 == 0;
      ask(session, {"cache:*", "bundle:*"}, 0x20);
      session.wait_recorded(0x20);
      broken = session.events.failures > 0;
      if (session.events.last_applied() >= at(0x20)) {
        EXPECT_FALSE(has("cache:1") || has("cache:2") || has("bundle:1"));
      }
    }
    run_until(loop, [&] { return server.sessions() == 0; });
    server.break_at_reply = FakeRedis::kNever;
    if (!broken) break;
    SinkSession next(loop, server.options(), options());
    const auto found = next.take_over();
    const bool verified = found.checkpoint && found.checkpoint->verified >= at(0x20);
    next.sink.start(SinkSession::origin(), "stream", verified ? at(0x20) : at(0x10), verified ? at(0x20) : at(0x10));
    if (!verified) ask(next, {"cache:*", "bundle:*"}, 0x20);
    run_until(loop, [&] { return notes.empty() && !has("cache:1") && !has("cache:2") && !has("bundle:1"); });
    EXPECT_TRUE(has("other"));
  }
}

}  // namespace
}  // namespace walrelay::sinks
