// RedisSink against a fake Redis that refuses, lies, or belongs to somebody else.
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

const char* const kWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

// The reply to the n-th command of that name (from one) after `start`.
std::function<std::optional<std::string>(const Words&)> reply_to(std::string name, int nth, std::string reply) {
  return [name = std::move(name), nth, reply = std::move(reply),
          count = 0](const Words& words) mutable -> std::optional<std::string> {
    if (words[0] != name || ++count != nth) return std::nullopt;
    return reply;
  };
}

TEST_F(RedisSinkTest, EveryReplyIsLookedAt) {
  struct Case {
    std::string name, command;
    int nth;
    std::string reply, code, words;
    bool refused;
  };
  const std::vector<Case> cases = {
      {"MULTI", "MULTI", 1, error("LOADING Redis is loading"), "LOADING", "refused MULTI: LOADING", false},
      {"MULTI says another word", "MULTI", 1, status("QUEUED"), "LOST", "refused MULTI", false},
      {"OOM while queueing", "HSET", 1, error("OOM command not allowed when used memory > 'maxmemory'."), "OOM",
       "refused a command: OOM", false},
      {"READONLY while queueing", "HSET", 1, error("READONLY You can't write against a read only replica."), "READONLY",
       "READONLY You", false},
      {"NOPERM while queueing", "HSET", 1, error("NOPERM this user has no permissions to run the 'hset' command"),
       "NOPERM", "hset", false},
      {"an unknown command while queueing", "HSET", 1,
       error("ERR unknown command 'HSET', with args beginning with: 'k' 'secret'"), "ERR", "unknown command", true},
      {"not queued", "HSET", 1, status("OK"), "LOST", "answered a queued command", false},
      {"the checkpoint is not queued", "HSET", 2, error("OOM command not allowed"), "OOM", "walrelay:{s}:checkpoint",
       false},
      {"EXECABORT with a cause", "EXEC", 1,
       error("EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica."),
       "READONLY", "READONLY You", false},
      {"EXECABORT", "EXEC", 1, error("EXECABORT Transaction discarded because of previous errors."), "EXECABORT",
       "previous errors", false},
      {"EXEC says OK", "EXEC", 1, status("OK"), "LOST", "answered EXEC", false},
      {"too few results", "EXEC", 1, array({integer(1)}), "LOST", "answered EXEC of 2 commands with 1 results", false},
      {"too many results", "EXEC", 1, array({integer(1), integer(1), integer(1)}), "LOST", "with 3 results", false},
      {"an error inside", "EXEC", 1, array({error(kWrongType), integer(1)}), "WRONGTYPE",
       "refused 1 of 1 commands of a batch; the first: WRONGTYPE", true},
      {"READONLY inside", "EXEC", 1, array({error("READONLY You can't"), integer(1)}), "READONLY", "READONLY", false},
      {"the checkpoint inside", "EXEC", 1, array({integer(1), error(kWrongType)}), "WRONGTYPE",
       "walrelay:{s}:checkpoint", false},
      {"nil but the fence is ours", "EXEC", 1, "*-1\r\n", "FENCED", "was written in between", false},
      {"WATCH", "WATCH", 1, error("ERR WATCH inside MULTI is not allowed"), "LOST", "refused WATCH", false},
      {"the fence cannot be read", "GET", 1, error(kWrongType), "WRONGTYPE", "refused GET", false},
      {"the fence is gone", "GET", 1, nil(), "FENCED", "is gone from Redis at 127.0.0.1", false},
      {"the fence is another's", "GET", 1, bulk("9"), "FENCED", "another walrelay has taken over slot \"s\"", false},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    server.on_command = nullptr;
    server.flush_all();
    SinkSession session(loop, server.options(), options());
    session.begin();
    server.on_command = reply_to(one.command, one.nth, one.reply);
    session.transaction("k", "secret", 0x20);
    session.wait_failed();
    EXPECT_EQ(session.events.failure.code(), one.code);
    EXPECT_THAT(session.events.failure.what(), HasSubstr(one.words));
    EXPECT_THAT(session.events.failure.what(), testing::Not(HasSubstr("secret")));
    EXPECT_EQ(session.events.refused, one.refused);
    EXPECT_TRUE(session.events.applied.empty());
    EXPECT_TRUE(session.events.recorded.empty());

    // From here on every call is a harmless nothing.
    session.transaction("k", "2", 0x30);
    session.sink.loaded(1);
    session.sink.advance(Lsn{0x40});
    session.sink.dead_letter({{"t", "insert", "{}", ""}, "", "k", "r"});
    session.sink.of_row({"t", "insert", "{}", ""});
    session.sink.remove_owned({{"k*", [](std::string_view) { return true; }}}, {1});
    session.sink.set_phase("x");
    session.sink.flush();
    EXPECT_TRUE(session.sink.full());
    EXPECT_FALSE(session.sink.drained());
    EXPECT_FALSE(session.connection.is_open());
    run_until(loop, [&] { return server.sessions() == 0; });
    EXPECT_EQ(session.events.failures, 1);
  }
}

TEST_F(RedisSinkTest, CarefulModeNamesTheKeyAndTheMapping) {
  RedisSinkOptions careful = options();
  careful.careful = true;
  for (const bool while_queueing : {false, true}) {
    server.on_command = nullptr;
    server.flush_all();
    SinkSession session(loop, server.options(), careful);
    session.begin();
    server.keys["bad"] = {'s', "x", {}, {}};
    if (while_queueing) {
      server.on_command = [](const Words& words) -> std::optional<std::string> {
        if (words.size() > 1 && words[1] == "bad") return error("ERR syntax error");
        return std::nullopt;
      };
    }
    session.transaction("good", "1", 0x20);
    session.transaction("bad", "1", 0x30);
    session.wait_failed();
    EXPECT_TRUE(session.events.refused);
    EXPECT_THAT(session.events.failure.what(), HasSubstr("for key \"bad\" (mapping m1): "));
    EXPECT_THAT(session.events.failure.what(), HasSubstr(while_queueing ? "ERR syntax error" : kWrongType));
  }
}

TEST_F(RedisSinkTest, AnotherOwnerFencesThisOne) {
  SinkSession first(loop, server.options(), options());
  first.begin();
  first.transaction("k", "1", 0x20);
  first.wait_recorded(0x20);
  SinkSession second(loop, server.options(), options());
  second.begin(at(0x20), at(0x20));
  first.transaction("k", "stale", 0x30);
  first.wait_failed();
  EXPECT_EQ(first.events.failure.code(), "FENCED");
  EXPECT_THAT(first.events.failure.what(), HasSubstr("another walrelay has taken over slot \"s\""));
  EXPECT_EQ(value_of("k"), "1");
  second.transaction("k", "2", 0x30);
  second.wait_recorded(0x30);
  EXPECT_EQ(value_of("k"), "2");
  EXPECT_EQ(second.events.failures, 0);
}

TEST_F(RedisSinkTest, FlushallIsNoticedByABatchAndWhenIdle) {
  for (const bool idle : {false, true}) {
    SinkSession session(loop, server.options(), options());
    session.begin();
    session.wait_recorded(0x10);
    server.flush_all();
    if (!idle) session.transaction("k", "1", 0x20);
    session.wait_failed();
    EXPECT_EQ(session.events.failure.code(), "FENCED");
    EXPECT_THAT(session.events.failure.what(), HasSubstr("it was emptied, or restarted without its data"));
    EXPECT_EQ(server.keys.count("k"), 0U);
  }
}

TEST_F(RedisSinkTest, SilenceAndDisconnectionsAreLosses) {
  RedisOptions impatient = server.options();
  impatient.reply_timeout = event::milliseconds(60);
  SinkSession silent(loop, impatient, options());
  silent.begin();
  server.on_command = reply_to("EXEC", 1, "");
  silent.transaction("k", "1", 0x20);
  silent.wait_failed();
  EXPECT_EQ(silent.events.failure.code(), "TIMEOUT");

  server.on_command = nullptr;
  SinkSession idle(loop, server.options(), options());
  idle.begin();
  idle.wait_recorded(0x10);
  server.disconnect_all();
  idle.wait_failed();
  EXPECT_EQ(idle.events.failure.code(), "LOST");
}

TEST_F(RedisSinkTest, TakingOverReportsWhatIsInTheWay) {
  struct Case {
    std::string name;
    std::function<void(FakeRedis&)> prepare;
    std::string words;
  };
  const std::vector<Case> cases = {
      {"loading", [](FakeRedis& s) { s.on_command = reply_to("INCR", 1, error("LOADING Redis is loading")); },
       "LOADING"},
      {"replica", [](FakeRedis& s) { s.on_command = reply_to("INCR", 1, error("READONLY You can't write")); },
       "READONLY"},
      {"a race", [](FakeRedis& s) { s.on_command = reply_to("GET", 1, bulk("99")); }, "at the same moment"},
      {"a foreign checkpoint", [](FakeRedis& s) { s.keys["walrelay:{s}:checkpoint"] = {'s', "x", {}, {}}; },
       "WRONGTYPE"},
      {"an unreadable checkpoint",
       [](FakeRedis& s) { s.keys["walrelay:{s}:checkpoint"] = {'h', "", {{"verified", "x"}}, {}}; }, "checkpoint"},
  };
  for (const Case& one : cases) {
    server.on_command = nullptr;
    server.flush_all();
    SinkSession session(loop, server.options(), options());
    one.prepare(server);
    try {
      session.take_over();
      ADD_FAILURE() << one.name;
    } catch (const std::exception& error) {
      EXPECT_THAT(error.what(), HasSubstr(one.words)) << one.name;
    }
  }
}

// Killed at the k-th reply of a session, for every k, whether or not the command was still carried out.
TEST_F(RedisSinkTest, BrokenAtEveryReply) {
  for (const bool runs : {true, false}) {
    for (std::size_t k = 0;; ++k) {
      SCOPED_TRACE("reply " + std::to_string(k) + (runs ? " after" : " before") + " its command ran");
      ASSERT_LT(k, 1000U);
      server.flush_all();
      server.replies = 0;
      server.break_at_reply = FakeRedis::kNever;
      std::size_t executed = 0;
      server.on_executed = [&] { ++executed; };
      RedisSinkOptions small = options();
      small.flush.max_bytes = 400;
      small.flush.max_transaction = 1200;
      SinkSession session(loop, server.options(), small);
      session.begin();
      server.replies = 0;
      server.break_at_reply = k;
      server.run_before_break = runs;
      session.transaction("a", "1", 0x20);
      session.wait_applied(0x20);
      for (std::uint64_t i = 1; i <= 30; ++i) session.set("b" + std::to_string(i), "1", inside(0x20, 0x2f, i));
      session.sink.commit(Lsn{0x30}, 1);
      session.wait_recorded(0x30);
      const bool whole_session = session.events.failures == 0;
      if (!whole_session) {
        EXPECT_EQ(session.events.failure.code(), "LOST");
      }
      // Applied: every EXEC up to it has run, and its replies have come. Recorded: Redis says so itself.
      EXPECT_LE(session.events.applied.size(), executed);
      if (session.events.last_applied() >= at(0x20)) {
        EXPECT_EQ(value_of("a"), "1");
      }
      if (session.events.last_applied() >= at(0x30)) {
        EXPECT_EQ(value_of("b30"), "1");
      }
      const Position recorded = session.events.last_recorded();
      if (recorded > Position{}) {
        const auto in_redis = position_from_field(stated("verified"));
        ASSERT_TRUE(in_redis.has_value());
        EXPECT_LE(recorded, *in_redis);
      }
      EXPECT_LE(recorded, std::max(session.events.last_applied(), at(0x10)));
      if (whole_session) break;
      run_until(loop, [&] { return server.sessions() == 0; });
    }
  }
}

}  // namespace
}  // namespace walrelay::sinks
