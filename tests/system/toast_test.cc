// Columns that an UPDATE leaves out of the stream, because they are stored apart and did not change: a hash keeps the
// field, a JSON string is made anew from the table. Nothing that stands for "unchanged" ever reaches Redis.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class ToastTest : public EndToEnd {
 protected:
  // `big` is stored outside of the row: 20,000 bytes that do not compress.
  static constexpr const char* kDocs = R"(
    CREATE TABLE docs (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, big text NOT NULL, small text);
    ALTER TABLE docs ALTER big SET STORAGE EXTERNAL;
    CREATE FUNCTION big(seed int) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(md5(seed || '/' || i), '') FROM generate_series(1, 625) i $$;
    INSERT INTO docs SELECT i, 0, big(i) FROM generate_series(1, 20) i;)";
  static constexpr const char* kHash = "  - {table: docs, write: {hash: {key: \"doc:{id}\"}}}\n";
  static constexpr const char* kJson = "  - {table: docs, write: {string: {key: \"json:{id}\"}}}\n";
  static constexpr const char* kBoth =
      "  - {table: docs, write: [{hash: {key: \"doc:{id}\"}}, {string: {key: \"json:{id}\"}}]}\n";

  // Every document of Redis is the row's.
  testing::AssertionResult documents_in_step(milliseconds timeout = kPatience) {
    std::istringstream lines(sql("SELECT id || ' ' || md5(to_jsonb(docs)::text) FROM docs ORDER BY id"));
    std::map<std::string, std::string> expected;
    for (std::string id, hash; lines >> id >> hash;) expected["json:" + id] = hash;
    const auto compare = [&] {
      std::string values;
      for (const auto& key : redis().keys("json:*")) {
        values +=
            (values.empty() ? "" : ", ") + ("($k$" + key) + "$k$, $json$" + redis().command("GET", key) + "$json$)";
      }
      std::istringstream found_lines(
          values.empty() ? "" : sql("SELECT k || ' ' || md5(j::jsonb::text) FROM (VALUES " + values + ") v(k, j)"));
      std::map<std::string, std::string> found;
      for (std::string key, hash; found_lines >> key >> hash;) found[key] = hash;
      if (found == expected) return testing::AssertionSuccess();
      return testing::AssertionFailure() << testing::PrintToString(found) << ", expected "
                                         << testing::PrintToString(expected);
    };
    return eventually(compare, timeout);
  }
};

TEST_F(ToastTest, HashKeepsTheField) {
  sql(kDocs);
  start(kHash);
  sql("UPDATE docs SET n = n + 1; UPDATE docs SET n = 7, small = 's' WHERE id = 3; UPDATE docs SET big = big(99) WHERE "
      "id = 4; "
      "INSERT INTO docs (id, big) VALUES (30, big(30)); UPDATE docs SET n = 1 WHERE id = 30");
  EXPECT_TRUE(in_step("docs", "'doc:' || id", "doc:*"));
  EXPECT_EQ(walrelay().metric("walrelay_rereads_total{slot=\"" + name() + "\"}"), 0);
}

TEST_F(ToastTest, JsonIsReadAgain) {
  sql(kDocs);
  start(kJson);
  sql("UPDATE docs SET n = n + 1; UPDATE docs SET n = 7, small = 's' WHERE id = 3; UPDATE docs SET big = big(99) WHERE "
      "id = 4");
  EXPECT_TRUE(documents_in_step());
  EXPECT_GT(walrelay().metric("walrelay_rereads_total{slot=\"" + name() + "\"}").value_or(0), 0);
  // Gone before it could be read again, made anew, and truncated.
  sql("UPDATE docs SET n = 2; DELETE FROM docs WHERE id = 1; BEGIN; UPDATE docs SET n = 3 WHERE id = 2; DELETE FROM "
      "docs WHERE id = 2; "
      "INSERT INTO docs (id, big) VALUES (2, 'short'); COMMIT");
  EXPECT_TRUE(documents_in_step());
  sql("UPDATE docs SET n = 4; TRUNCATE docs; INSERT INTO docs (id, big) VALUES (5, big(5))");
  EXPECT_TRUE(documents_in_step());
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(redis().command("HLEN", "walrelay:{" + name() + "}:reread"), "0");
}

// The stream says nothing of what an ALTER TABLE makes of the values, and here not even of a change of type. An UPDATE
// from before it that is read again after it must take the table's word for every column.
TEST_F(ToastTest, ARewriteThatKeepsTheTypesBehindAnUpdate) {
  sql(kDocs);
  start(kHash);
  redis().pause();
  sql("UPDATE docs SET big = big(id + 100); UPDATE docs SET big = big(id + 200); UPDATE docs SET n = id");  // fills us
  sql("ALTER TABLE docs ALTER n TYPE int USING n * 2 + 1");
  walrelay().wait_log("reading table");
  redis().resume();
  EXPECT_TRUE(in_step("docs", "'doc:' || id", "doc:*"));
  EXPECT_GT(walrelay().metric("walrelay_rereads_total{slot=\"" + name() + "\"}").value_or(0), 0);
}

TEST_F(ToastTest, KeyChangeWithTheColumnLeftOut) {
  sql(kDocs);
  start(kBoth);
  sql("UPDATE docs SET id = id + 100; BEGIN; UPDATE docs SET id = -1 WHERE id = 101; UPDATE docs SET id = 101 WHERE id "
      "= 102; "
      "UPDATE docs SET id = 102 WHERE id = -1; COMMIT; UPDATE docs SET id = 300 WHERE id = 120; UPDATE docs SET n = 5 "
      "WHERE id = 300");
  EXPECT_TRUE(in_step("docs", "'doc:' || id", "doc:*"));
  EXPECT_TRUE(documents_in_step());
}

TEST_F(ToastTest, FullIdentityCarriesTheColumnInTheOldRow) {
  sql(std::string(kDocs) + "ALTER TABLE docs REPLICA IDENTITY FULL");
  start(kBoth);
  sql("UPDATE docs SET n = n + 1; UPDATE docs SET id = id + 100 WHERE id < 5; DELETE FROM docs WHERE id = 101");
  EXPECT_TRUE(in_step("docs", "'doc:' || id", "doc:*"));
  EXPECT_TRUE(documents_in_step());
}

// A field that has expired cannot be kept: with a ttl the row is read again.
TEST_F(ToastTest, HashWithATtlIsWhole) {
  sql(kDocs);
  start("  - {table: docs, write: {hash: {key: \"doc:{id}\", ttl: 1h}}}\n");
  redis().command("DEL", "doc:1");
  sql("UPDATE docs SET n = n + 1");
  EXPECT_TRUE(in_step("docs", "'doc:' || id", "doc:*"));
}

TEST_F(ToastTest, HotRowIsNeitherTornNorStarved) {
  sql(kDocs);
  start(kJson);
  Beside writer(postgres(), name(),
                "DO $$ BEGIN FOR i IN 1..600 LOOP UPDATE docs SET n = n + 1 WHERE id = 1; "
                "IF i % 100 = 0 THEN UPDATE docs SET big = big(i) WHERE id = 1; END IF; COMMIT; PERFORM "
                "pg_sleep(0.004); END LOOP; END $$");
  std::size_t versions = 0;
  std::string before;
  while (!writer.done()) {
    const std::string seen = redis().command("GET", "json:1");
    EXPECT_GT(seen.size(), 19000U) << seen;
    versions += seen != before ? 1U : 0U;
    before = seen;
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_GT(versions, 20U) << "the row was not written while it was hot";
  EXPECT_TRUE(documents_in_step());
}

TEST_F(ToastTest, WhileTheTableIsBeingLoaded) {
  sql(kDocs);
  sql("INSERT INTO docs SELECT i, 0, big(i) FROM generate_series(21, 500) i");
  launch_and_hold(kBoth, "load: {chunk_bytes: 8192, connections: 3}");
  sql("UPDATE docs SET n = n + 1; UPDATE docs SET n = n + 1 WHERE id % 2 = 0; "
      "UPDATE docs SET id = id + 1000 WHERE id % 5 = 0");
  redis().resume();
  walrelay().wait_ready();
  EXPECT_TRUE(in_step("docs", "'doc:' || id", "doc:*"));
  EXPECT_TRUE(documents_in_step(seconds(60)));
}

// What a restart repeats is held back until such a row was read, and a table that is read meanwhile finds no room: the
// one connection must not wait for it.
TEST_F(ToastTest, ATableThatIsReadMakesWayForARowThatIsReadAgain) {
  sql(std::string(kDocs) + "CREATE TABLE noise (i int)");
  const std::string tables =
      std::string(kJson) + "  - {tables: '^public\\.more_(?<n>.*)$', write: {hash: {key: \"more:{id}\"}}}\n";
  start(tables, "flush: {interval: 3s, max_bytes: 256KiB}\nload: {connections: 1}");
  // The first leaves at once; the others, with the row that was read again for them, are one batch. The rows that
  // nobody wants make its repetition late enough for the other table to be read first.
  sql("UPDATE docs SET big = 'small' WHERE id = 2");
  ASSERT_TRUE(documents_in_step());
  sql("BEGIN; INSERT INTO noise SELECT generate_series(1, 200000); UPDATE docs SET n = 1 WHERE id = 1; COMMIT");
  for (int id = 30; id < 36; ++id) {
    const std::string row = std::to_string(id);
    sql("INSERT INTO docs SELECT " + row + ", 0, big(" + row + ")");
  }
  ASSERT_TRUE(eventually([] { return redis().command("EXISTS", "json:35") == "1"; }));
  walrelay().kill();
  sql("CREATE TABLE more_1 (id int PRIMARY KEY, t text); INSERT INTO more_1 SELECT i, 'x' FROM generate_series(1, 9) "
      "i");
  walrelay().start();
  EXPECT_TRUE(documents_in_step());
  EXPECT_TRUE(in_step("more_1", "'more:' || id", "more:*"));
  EXPECT_GT(walrelay().metric("walrelay_rereads_total{slot=\"" + name() + "\"}").value_or(0), 0)
      << "nothing was repeated";
}

// The note stands in Redis with the very transaction, so another process finds what the killed one still had to read.
TEST_F(ToastTest, KilledBetweenTheNoteAndTheReading) {
  sql(kDocs);
  start(kJson);
  ASSERT_TRUE(documents_in_step());
  const std::string notes = "walrelay:{" + name() + "}:reread";
  PsqlSession change(postgres(), name());
  change.sql("BEGIN; UPDATE docs SET n = 42");
  Beside lock(postgres(), name(),
              "BEGIN; LOCK TABLE docs IN ACCESS EXCLUSIVE MODE;");  // waits for the change, then holds
  EXPECT_TRUE(eventually([this] { return sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"; }));
  change.sql("COMMIT");
  EXPECT_TRUE(eventually_equal([&] { return redis().command("HLEN", notes); }, "20"));
  walrelay().kill();
  lock.sql("COMMIT");
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(documents_in_step());
  EXPECT_TRUE(eventually_equal([&] { return redis().command("EXISTS", notes); }, "0"));
}

}  // namespace
}  // namespace walrelay::support
