// A rebuild leaves alone what stands in Redis as the row says, and writes the rest (sidecar/loader_comparison.h).
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

class RebuildCompareTest : public RebuildFixture {
 protected:
  static constexpr const char* kChunks = "load: {chunk_bytes: 64KiB}";

  // Of a command since forget_calls().
  static long calls(const std::string& command) {
    const std::string stats = redis().command("INFO", "commandstats");
    const std::string name = "cmdstat_" + command + ":calls=";
    const auto at = stats.find(name);
    return at == std::string::npos ? 0 : std::stol(stats.substr(at + name.size()));
  }
  static void forget_calls() { redis().command("CONFIG", "RESETSTAT"); }
  // How many rows the last rebuild found as they are.
  [[nodiscard]] testing::AssertionResult found_equal(int rows) {
    const std::string words = "\"equal\":" + std::to_string(rows);
    const std::string log = walrelay().log();
    const auto at = log.rfind("\"table read\"");
    if (at == std::string::npos) return testing::AssertionFailure() << "no table was read";
    const std::string line = log.substr(at, log.find('\n', at) - at);
    if (line.find(words + "}") != std::string::npos || line.find(words + ",") != std::string::npos)
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << line;
  }
  void rebuilds(const std::string& mapping) {
    const auto done = rebuild(mapping);
    ASSERT_EQ(done.text("status"), "COMPLETED") << done.body();
  }
};

TEST_F(RebuildCompareTest, WhatStandsThereIsNotWrittenAgain) {
  users(5000);
  start(kUsers, kChunks);
  ASSERT_TRUE(users_in_step());
  forget_calls();
  rebuilds("users");
  EXPECT_TRUE(found_equal(5000));
  EXPECT_EQ(calls("hgetall"), 5000) << "each row is asked about, once";
  EXPECT_LT(calls("hset"), 200) << "what walrelay notes for itself";
  EXPECT_EQ(calls("unlink"), 0);
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildCompareTest, OnlyWhatDiffersIsWritten) {
  users(5000);
  start(kUsers, kChunks);
  ASSERT_TRUE(users_in_step());
  for (int i = 0; i < 20; ++i) {
    const auto key = [i](int of) { return "user:" + std::to_string(of + 5 * (i * 49 + 1)); };
    redis().command("DEL", key(0), key(4));
    redis().command("HDEL", key(1), "name");
    redis().command("HSET", key(2), "extra", "field");
    redis().command("EXPIRE", key(3), "1000");
    redis().command("RPUSH", key(4), "a", "list");
  }
  forget_calls();
  rebuilds("users");
  EXPECT_TRUE(found_equal(4900));
  EXPECT_LT(calls("hset"), 300);
  EXPECT_TRUE(users_in_step());
  EXPECT_EQ(redis().command("TTL", "user:9"), "-1");
  EXPECT_TRUE(verifies());
}

// A range in which much differs is read once more and written; what follows is written without a question.
TEST_F(RebuildCompareTest, WhereMuchDiffersNothingMoreIsAsked) {
  users(20000);
  start(kUsers, kChunks);
  ASSERT_TRUE(users_in_step());
  redis().command("EVAL", "for i = 1, 20000 do redis.call('HSET', 'user:' .. i, 'name', 'wrong') end", "0");
  forget_calls();
  rebuilds("users");
  EXPECT_TRUE(found_equal(0));
  EXPECT_LT(calls("hgetall"), 10000) << "of two workers' first ranges";
  EXPECT_TRUE(users_in_step());
}

// Beyond 64 bytes of a value, or 512 fields (128 before Redis 7), Redis keeps a hash in an order of its own.
TEST_F(RebuildCompareTest, FieldsInTheOrderOfTheServer) {
  std::string columns;
  for (int i = 0; i < 12; ++i)
    columns += ", c" + std::to_string(i) + " text DEFAULT repeat('" + std::to_string(i) + "', 70)";
  sql("CREATE TABLE users (id int PRIMARY KEY, name text" + columns +
      "); INSERT INTO users (id) SELECT i FROM "
      "generate_series(1, 1000) i");
  start(kUsers, kChunks);
  ASSERT_TRUE(users_in_step());
  redis().command("HSET", "user:7", "c3", "wrong");
  redis().command("HDEL", "user:8", "c4");
  redis().command("HSET", "user:9", "extra", "field");
  rebuilds("users");
  EXPECT_TRUE(found_equal(997));
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildCompareTest, StringsJsonAndRowsWithoutAKey) {
  sql("CREATE TABLE docs (id int PRIMARY KEY, v text, live boolean); "
      "INSERT INTO docs SELECT i, 'v' || i, i % 2 = 0 FROM generate_series(1, 1000) i");
  start(
      "  - {name: docs, table: docs, write: [{json: {key: \"j:{id}\"}}, {string: {key: \"s:{id}\", value: v}}, "
      "{hash: {key: \"live:{id}\", when: live}}]}\n",
      kChunks);
  EXPECT_TRUE(eventually([] { return keys().size() == 2500; }));
  plant({"live:1", "live:3"});  // rows that are to have none
  redis().command("DEL", "j:5", "live:2");
  redis().command("SET", "s:6", "wrong");
  rebuilds("docs");
  EXPECT_TRUE(found_equal(995));
  EXPECT_EQ(keys().size(), 2500U);
  EXPECT_TRUE(verifies());
}

// Of a key that ends, a rebuild begins the time anew.
TEST_F(RebuildCompareTest, KeysThatEndAreWritten) {
  users(1000);
  start("  - {name: users, table: users, write: {hash: {key: \"user:{id}\", ttl: 1h}}}\n", kChunks);
  ASSERT_TRUE(users_in_step());
  redis().command("EXPIRE", "user:1", "100");
  redis().command("DEL", "user:2");  // as when its time was over
  rebuilds("users");
  EXPECT_GT(std::stoi(redis().command("TTL", "user:1")), 1000);
  EXPECT_TRUE(users_in_step());
  EXPECT_TRUE(found_equal(0));
}

// What is kept of rows elsewhere may be gone.
TEST_F(RebuildCompareTest, TrackedRowsAreWritten) {
  users(1000);
  start("  - {name: users, table: users, write: {hash: {key: \"user:{name}:{id}\", track: redis}}}\n", kChunks);
  ASSERT_TRUE(in_step("users", "'user:' || name || ':' || id", "user:*"));
  std::string track;
  for (const std::string& key : redis().keys("walrelay:{" + name() + "}:*")) {
    if (redis().command("TYPE", key) == "hash" && redis().command("HLEN", key) == "1000") track = key;
  }
  ASSERT_NE(track, "");
  redis().command("DEL", track);
  rebuilds("users");
  EXPECT_EQ(redis().command("HLEN", track), "1000");
  EXPECT_TRUE(found_equal(0));
}

// A row may be found only by all that it holds, of which some cannot be compared in SQL.
TEST_F(RebuildCompareTest, ATableWithoutAKey) {
  sql("CREATE TABLE loose (id int, body json, note text); ALTER TABLE loose REPLICA IDENTITY FULL; "
      "INSERT INTO loose SELECT i, '{\"a\":1}', CASE WHEN i % 3 = 0 THEN 'n' END FROM generate_series(1, 3000) i");
  start("  - {name: loose, table: loose, write: {hash: {key: \"l:{id}\"}}}\n", kChunks);
  ASSERT_TRUE(in_step("loose", "'l:' || id", "l:*"));
  redis().command("HSET", "l:5", "note", "wrong");
  redis().command("DEL", "l:6", "l:2999");
  rebuilds("loose");
  EXPECT_TRUE(in_step("loose", "'l:' || id", "l:*"));
}

// Who may not ask writes.
TEST_F(RebuildCompareTest, AUserOfRedisWhoMayNotRead) {
  users(1000);
  redis().command("ACL", "SETUSER", "writer", "on", ">word", "~*", "&*", "+@all", "-pttl");
  launch_as({.config = source() + "}\ntarget: {url: \"redis://writer:word@127.0.0.1:" + std::to_string(redis().port()) +
                       "\"}\nflush: {interval: 0}\n" + kChunks + "\nmappings:\n" + kUsers,
             .arguments = {"run"}});
  walrelay().wait_ready();
  ASSERT_TRUE(users_in_step());
  redis().command("DEL", "user:1");
  rebuilds("users");
  EXPECT_TRUE(found_equal(0));
  EXPECT_TRUE(users_in_step());
  // Nor who finds no connection more.
  redis().command("DEL", "user:2");
  redis().command("ACL", "SETUSER", "writer", "resetpass", ">another word");
  const auto done = post(route("users"));
  EXPECT_EQ(done.http(), 202) << done.body();
  EXPECT_NO_THROW(walrelay().wait_log("is written without a look at Redis"));
  redis().command("ACL", "SETUSER", "writer", ">word");
  EXPECT_EQ(finished("users").text("status"), "COMPLETED");
  EXPECT_TRUE(users_in_step());
  redis().command("ACL", "DELUSER", "writer");
}

// The stream's changes that Redis does not show yet are none of the rebuild's differences.
TEST_F(RebuildCompareTest, WaitsUntilRedisShowsWhatTheRowsAreOf) {
  users(5000);
  start(kUsers, std::string(kChunks) + "\nflush: {interval: 1h}");
  ASSERT_TRUE(users_in_step());
  sql("UPDATE users SET name = name || '!'");  // stays in the batch that fills, but for a rebuild
  forget_calls();
  rebuilds("users");
  EXPECT_TRUE(found_equal(5000));
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildCompareTest, RowsThatCannotBeWrittenAreSaidSoAgain) {
  sql("CREATE TABLE docs (id int PRIMARY KEY, j text); INSERT INTO docs SELECT i, CASE WHEN i % 100 > 0 THEN "
      "'{\"n\": 7}' ELSE '{broken' END FROM generate_series(1, 2000) i");
  start(
      "  - {name: docs, table: docs, on_poison: skip, let: {n: \"j->>'n'\"}, write: {string: {key: \"n:{id}\", value: "
      "n}}}\n",
      kChunks);
  EXPECT_TRUE(eventually_equal([] { return keys().size(); }, 1980U));
  EXPECT_EQ(walrelay().metric("walrelay_skipped_rows_total"), 20.0);
  redis().command("DEL", "n:1");
  rebuilds("docs");
  EXPECT_EQ(walrelay().metric("walrelay_skipped_rows_total"), 40.0);
  EXPECT_TRUE(found_equal(1979));
  EXPECT_TRUE(eventually_equal([] { return redis().command("GET", "n:1"); }, "7"));
}

}  // namespace
}  // namespace walrelay::support
