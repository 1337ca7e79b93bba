// Rows that cannot be written: each mapping says what becomes of its own, and the others go on.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class PoisonTest : public EndToEnd {
 protected:
  // A NULL in a key, an expression that fails: from the table and from the stream.
  void tables() {
    sql("CREATE TABLE a (id int PRIMARY KEY, k text); ALTER TABLE a REPLICA IDENTITY FULL; CREATE TABLE b (id int "
        "PRIMARY KEY, j text); CREATE TABLE good (id int PRIMARY KEY); INSERT INTO a VALUES (1, NULL), (2, 'x'); "
        "INSERT INTO b VALUES (1, '{broken'), (2, '{\"n\": 7}'); INSERT INTO good VALUES (1)");
  }
  static std::string mappings(const std::string& of_a, const std::string& of_b) {
    return "  - {table: a, on_poison: " + of_a +
           ", write: {hash: {key: \"a:{id}:{k}\"}}}\n  - {table: b, on_poison: " + of_b +
           ", let: {n: \"j->>'n'\"}, write: {zset: {key: \"b\", member: \"{id}\", score: n}}}\n"
           "  - {table: good, write: {hash: {key: \"good:{id}\"}}}\n";
  }
  std::string dead() const { return "walrelay:{" + name() + "}:dead"; }
  std::string letters() const { return redis().command("XLEN", dead()); }
};

TEST_F(PoisonTest, OneMappingSkipsAndTheOtherNotes) {
  tables();
  start(mappings("skip", "dead_letter"), "on_row_error: halt");
  EXPECT_TRUE(eventually_equal([] { return redis().keys("a:*"); }, std::vector<std::string>{"a:2:x"}));
  EXPECT_TRUE(eventually_equal([] { return redis().command("ZRANGE", "b", "0", "-1"); }, "2"));
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "1"));
  sql("INSERT INTO a VALUES (3, NULL), (4, 'y'); INSERT INTO b VALUES (3, 'nonsense'), (4, '{\"n\": 1}'); INSERT INTO "
      "good VALUES (2)");
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "good:2"); }, "1"));
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "2"));
  EXPECT_EQ(redis().keys("a:*"), (std::vector<std::string>{"a:2:x", "a:4:y"}));
  EXPECT_EQ(redis().command("ZRANGE", "b", "0", "-1"), "4\n2");
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_skipped_rows_total") == 2.0; }));
  const std::string noted = redis().client().call({"XRANGE", "walrelay:{" + name() + "}:dead", "-", "+"}).print();
  EXPECT_NE(noted.find("public.b"), std::string::npos) << noted;
}

TEST_F(PoisonTest, StopStopsWhateverTheOthersDo) {
  tables();
  sql("DELETE FROM b WHERE id = 1; DELETE FROM a WHERE id = 1");
  start(mappings("skip", "stop"), "on_row_error: dead_letter");
  sql("INSERT INTO a VALUES (3, NULL); INSERT INTO b VALUES (3, '{broken')");
  EXPECT_NE(walrelay().wait(), 0);
  EXPECT_NE(walrelay().log().find("table public.b"), std::string::npos);
  EXPECT_EQ(walrelay().log().find("{broken"), std::string::npos) << "no values in logs";
}

// In the middle of a load the row waits until Redis has taken those before it: it stops walrelay in the same way.
TEST_F(PoisonTest, StopsInTheMiddleOfALoad) {
  sql("CREATE TABLE b (id int PRIMARY KEY, j text); INSERT INTO b SELECT i, CASE WHEN i < 10000 THEN '{\"n\": 7}' ELSE "
      "'{broken' END FROM generate_series(1, 100000) i");
  launch_and_hold(
      "  - {table: b, on_poison: stop, let: {n: \"j->>'n'\"}, write: {zset: {key: \"b\", member: \"{id}\", score: "
      "n}}}\n",
      "flush: {interval: 0, max_bytes: 32KiB}\nload: {chunk_bytes: 64MiB, connections: 1}");
  EXPECT_TRUE(eventually([this] {
    return sql("SELECT wait_event FROM pg_stat_activity WHERE query LIKE 'COPY%'") == "ClientWrite";
  })) << "rows wait";
  redis().resume();
  EXPECT_EQ(walrelay().wait(), 1) << walrelay().log();
  EXPECT_NE(walrelay().log().find("table public.b"), std::string::npos) << walrelay().log();
}

// Two mappings of one table: what one cannot write the other writes all the same.
TEST_F(PoisonTest, OneMappingOfATableSkipsAndTheOtherWrites) {
  sql("CREATE TABLE a (id int PRIMARY KEY, j text); INSERT INTO a VALUES (1, '{broken'), (2, '{\"n\": 7}')");
  start(
      "  - {name: skips, table: a, on_poison: skip, let: {n: \"j->>'n'\"}, write: {string: {key: \"n:{id}\", value: "
      "n}}}\n  - {name: all, table: a, write: {hash: {key: \"a:{id}\"}}}\n");
  EXPECT_EQ(redis().keys("*:[0-9]"), (std::vector<std::string>{"a:1", "a:2", "n:2"}));
  sql("INSERT INTO a VALUES (3, 'nonsense'); UPDATE a SET j = '{' WHERE id = 2; DELETE FROM a WHERE id = 1; INSERT "
      "INTO a "
      "VALUES (4, '{\"n\": 1}')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("GET", "n:4"); }, "1"));
  EXPECT_EQ(redis().keys("*:[0-9]"), (std::vector<std::string>{"a:2", "a:3", "a:4", "n:2", "n:4"}));
  EXPECT_EQ(redis().command("HGET", "a:2", "j"), "{");
  EXPECT_EQ(letters(), "0");
  EXPECT_EQ(walrelay().metric("walrelay_skipped_rows_total"), 3.0) << "1 of the table, then 3 and 2";
  EXPECT_EQ(walrelay().command({"verify"}).status, 0);
}

// What Redis refuses follows the mapping, too; the letter shows the row, and nothing that the mapping excludes.
TEST_F(PoisonTest, WhatRedisRefusesFollowsTheMapping) {
  sql("CREATE TABLE a (id int PRIMARY KEY, name text, password text); CREATE TABLE b (id int PRIMARY KEY)");
  redis().command("SET", "a:1", "foreign");
  redis().command("SET", "b:1", "foreign");
  start(
      "  - {table: a, on_poison: dead_letter, write: {hash: {key: \"a:{id}\", columns: {exclude: [password]}}}}\n"
      "  - {table: b, on_poison: skip, write: {hash: {key: \"b:{id}\"}}}\n");
  sql("INSERT INTO a VALUES (1, 'Ada', 'secret'), (2, 'Bob', 'secret'); INSERT INTO b VALUES (1), (2)");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "b:2", "id"); }, "2"));
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "1"));
  const std::string letter = redis().client().call({"XRANGE", dead(), "-", "+"}).print();
  EXPECT_NE(letter.find(R"({"id":"1","name":"Ada"})"), std::string::npos) << letter;
  EXPECT_EQ(letter.find("secret"), std::string::npos) << letter;
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_skipped_rows_total") == 1.0; }));
  EXPECT_EQ(redis().command("HGET", "a:2", "name"), "Bob");
}

TEST_F(PoisonTest, ListReplayAndDrop) {
  tables();
  start(mappings("dead_letter", "dead_letter"));
  sql("INSERT INTO b VALUES (3, '{also broken')");
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "3"));

  const Finished listed = walrelay().command({"dlq", "list"});
  EXPECT_EQ(listed.status, 0) << listed.errors;
  for (const char* words : {"read public.a", "read public.b", "insert public.b", "column k is NULL"})
    EXPECT_NE(listed.output.find(words), std::string::npos) << words << " in " << listed.output;
  EXPECT_EQ(listed.output.find("broken"), std::string::npos) << "no value unless asked for: " << listed.output;
  EXPECT_NE(walrelay().command({"dlq", "list", "--rows", "-o", "json"}).output.find("{also broken"), std::string::npos);
  EXPECT_NE(walrelay().command({"dlq", "list", "--count", "1"}).output.find("and 2 more"), std::string::npos);

  // As long as the row is as it is, a new letter takes the old one's place.
  EXPECT_EQ(walrelay().command({"dlq", "replay", "--all", "--table", "b"}).status, 0);
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "3"));
  // With the cause mended by hand, without the stream: the row is read as it is now.
  sql("UPDATE b SET j = '{\"n\": 5}' WHERE id IN (1, 3)");
  EXPECT_TRUE(eventually_equal([] { return redis().command("ZSCORE", "b", "3"); }, "5"));
  const Finished replayed = walrelay().command({"dlq", "replay", "--all"});
  EXPECT_EQ(replayed.status, 0) << replayed.errors;
  EXPECT_NE(replayed.output.find("3 replayed"), std::string::npos) << replayed.output;
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "1")) << "only a's row is still wrong";

  const std::string id = walrelay().command({"dlq", "list"}).output.substr(0, 15);
  const Finished dropped = walrelay().command({"dlq", "drop", "--all"});
  EXPECT_EQ(dropped.output, "1 dropped\n") << dropped.errors;
  EXPECT_EQ(walrelay().command({"dlq", "list"}).output, "no dead letters\n");
  EXPECT_EQ(walrelay().command({"dlq", "replay", id}).status, 2);
  EXPECT_EQ(walrelay().command({"dlq", "replay"}).status, 2);
  EXPECT_EQ(walrelay().command({"dlq", "drop", "nonsense"}).status, 2);
  EXPECT_EQ(walrelay().ask("POST", "/api/v1/admin/dlq/replay?id=1-0").status, 404);
  EXPECT_EQ(walrelay().ask("POST", "/api/v1/admin/dlq/replay?id=x").status, 400);
  EXPECT_EQ(walrelay().ask("GET", "/api/v1/admin/dlq/replay?id=1-0").status, 405);
}

// Mended behind the stream's back: the cause was in Redis, or nobody had changed the row since.
TEST_F(PoisonTest, ReplayWritesWhatNoChangeWouldBring) {
  sql("CREATE TABLE a (id int PRIMARY KEY, name text)");
  redis().command("SET", "a:1", "foreign");
  redis().command("SET", "a:2", "foreign");
  start("  - {table: a, on_poison: dead_letter, write: {hash: {key: \"a:{id}\"}}}\n");
  sql("INSERT INTO a VALUES (1, 'Ada'), (2, 'Bob')");
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "2"));
  redis().command("DEL", "a:1");
  redis().command("DEL", "a:2");
  const std::string id = redis().client().call({"XRANGE", dead(), "-", "+"}).elements[0].elements[0].text;
  EXPECT_EQ(walrelay().command({"dlq", "replay", id}).status, 0);
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "a:1", "name"); }, "Ada"));
  EXPECT_EQ(letters(), "1");
  // Without a walrelay that runs the next start does it.
  walrelay().terminate();
  const Finished later = walrelay().command({"dlq", "replay", "--all"});
  EXPECT_EQ(later.status, 0) << later.errors;
  EXPECT_NE(later.output.find("the next start"), std::string::npos) << later.output;
  EXPECT_EQ(letters(), "0");
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "a:2", "name"); }, "Bob"));
}

// The member of a row that is gone: nothing can be read again, the letter itself knows what is to be removed.
TEST_F(PoisonTest, ReplayRemovesWhatADeletedRowHad) {
  sql("CREATE TABLE a (id int PRIMARY KEY, g text); ALTER TABLE a REPLICA IDENTITY FULL; INSERT INTO a VALUES (1, "
      "'x')");
  start("  - {table: a, on_poison: dead_letter, write: {set: {key: \"g:{g}\", member: \"{id}\"}}}\n");
  EXPECT_EQ(redis().command("SMEMBERS", "g:x"), "1");
  redis().command("RENAME", "g:x", "aside");
  redis().command("SET", "g:x", "foreign");
  sql("DELETE FROM a");
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "1"));
  redis().command("RENAME", "aside", "g:x");
  EXPECT_EQ(walrelay().command({"dlq", "replay", "--all"}).status, 0);
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "g:x"); }, "0"));
  EXPECT_EQ(letters(), "0");
}

// Redis closes the connection on a value that is too long for it, which would come again after every restart.
TEST_F(PoisonTest, ValuesBeyondTheServersLimit) {
  sql("CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, repeat('x', 3000000)), (2, 'y'), (3, "
      "repeat('z', 1000000))");
  redis().command("CONFIG", "SET", "proto-max-bulk-len", "1048576");
  start("  - {table: a, on_poison: dead_letter, write: {hash: {key: \"a:{id}\"}}}\n");
  EXPECT_EQ(redis().keys("a:*"), (std::vector<std::string>{"a:2", "a:3"}));
  sql("UPDATE a SET v = repeat('w', 2000000) WHERE id = 2; INSERT INTO a VALUES (4, 'v')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "a:4", "v"); }, "v"));
  EXPECT_TRUE(eventually_equal([this] { return letters(); }, "2"));
  EXPECT_EQ(redis().command("HGET", "a:2", "v"), "y") << "as it was";
  EXPECT_NE(walrelay().command({"dlq", "list"}).output.find("proto-max-bulk-len"), std::string::npos);
  EXPECT_EQ(walrelay().metric("walrelay_session_failures_total").value_or(0), 0.0);
}

TEST_F(PoisonTest, LettersAreBounded) {
  sql("CREATE TABLE a (id int PRIMARY KEY, k text); ALTER TABLE a REPLICA IDENTITY FULL; INSERT INTO a SELECT i, NULL "
      "FROM generate_series(1, 5000) i");
  start("  - {table: a, on_poison: dead_letter, write: {hash: {key: \"a:{id}:{k}\"}}}\n", "dead_letter_limit: 1000");
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_dead_letters_total") == 5000.0; }));
  EXPECT_TRUE(eventually([this] { return std::stoi(letters()) >= 1000 && std::stoi(letters()) < 1300; })) << letters();
}

}  // namespace
}  // namespace walrelay::support
