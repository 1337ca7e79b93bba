// RedisSink and rows that cannot be written: what becomes of commands that a fake Redis refuses, and where it is noted.
#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

const char* const kWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

// With a dead-letter stream the batch counts as applied, and the notes come with the checkpoint that says so.
TEST_F(RedisSinkTest, RefusedRowsBecomeDeadLettersOnce) {
  RedisSinkOptions tolerant = options();
  tolerant.careful = true;
  tolerant.policy = [](std::uint32_t) { return OnPoison::dead_letter; };
  SinkSession session(loop, server.options(), tolerant);
  session.begin();
  server.keys["bad"] = {'s', "x", {}, {}};
  session.transaction("good", "1", 0x20);
  EXPECT_TRUE(session.sink.asks_for_rows());
  session.sink.of_row({"public.u", "update", R"({"id":"8"})", "note"});
  session.transaction("bad", "1", 0x30);
  session.sink.of_row({});
  session.sink.dead_letter({{"public.t", "insert", R"({"id":"7"})", ""}, "", "", "column \"a\" is NULL"});
  session.sink.commit(Lsn{0x40}, 5);
  session.wait_applied(0x40);
  EXPECT_EQ(server.keys.count("walrelay:{s}:dead"), 0U);
  EXPECT_EQ(stated("verified"), "0/10");
  session.wait_recorded(0x40);
  EXPECT_EQ(stated("verified"), "0/40");
  const auto& entries = server.keys["walrelay:{s}:dead"].entries;
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_THAT(entries[0], ElementsAre("XADD", "walrelay:{s}:dead", "*", "table", "public.t", "operation", "insert",
                                      "row", R"({"id":"7"})", "error", "column \"a\" is NULL", "position", "0/40"));
  EXPECT_THAT(entries[1], ElementsAre("XADD", "walrelay:{s}:dead", "*", "table", "public.u", "operation", "update",
                                      "row", R"({"id":"8"})", "note", "note", "write", "mapping m1", "key", "bad",
                                      "error", kWrongType, "position", "0/40"));
  EXPECT_EQ(session.sink.counters().refused, 1U);
  EXPECT_EQ(session.sink.counters().refused_rows, 1U);
  EXPECT_EQ(session.sink.counters().refused_notes, 1U);
  EXPECT_EQ(value_of("good"), "1");
  run_until(loop, [&] { return session.sink.drained(); });
  EXPECT_EQ(server.keys["walrelay:{s}:dead"].entries.size(), 2U);
}

// Each command by the policy of its write; one that must not be passed over fails the batch that has others, too.
TEST_F(RedisSinkTest, RefusedCommandsFollowThePolicyOfTheirWrite) {
  for (const OnPoison policy : {OnPoison::skip, OnPoison::stop}) {
    SCOPED_TRACE(static_cast<int>(policy));
    RedisSinkOptions tolerant = options();
    tolerant.careful = true;
    tolerant.policy = [policy](std::uint32_t) { return policy; };
    SinkSession session(loop, server.options(), tolerant);
    session.begin();
    server.keys["bad"] = {'s', "x", {}, {}};
    session.transaction("bad", "1", 0x30);
    if (policy == OnPoison::stop) {
      session.wait_failed();
      EXPECT_TRUE(session.events.refused);
    } else {
      session.wait_recorded(0x30);
      EXPECT_EQ(session.sink.counters().skipped, 1U);
      EXPECT_EQ(session.sink.counters().refused_notes, 0U);
    }
    EXPECT_EQ(server.keys.count("walrelay:{s}:dead"), 0U);
  }
}

TEST_F(RedisSinkTest, ARefusedDeadLetterStreamIsAFailure) {
  RedisSinkOptions tolerant = options();
  tolerant.careful = true;
  tolerant.policy = [](std::uint32_t) { return OnPoison::dead_letter; };
  SinkSession session(loop, server.options(), tolerant);
  session.begin();
  server.keys["walrelay:{s}:dead"] = {'s', "x", {}, {}};
  session.sink.dead_letter({{"public.t", "insert", "{}", ""}, "", "", "reason"});
  session.transaction("k", "1", 0x20);
  session.wait_failed();
  EXPECT_THAT(session.events.failure.what(), HasSubstr("walrelay:{s}:dead"));
}

}  // namespace
}  // namespace walrelay::sinks
