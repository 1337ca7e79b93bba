// A part of a mapping's rows, as a request names it: only these are read, and only their keys are swept.
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class RebuildSliceTest : public RebuildFixture {
 protected:
  using Keys = std::vector<std::string>;
  static constexpr const char* kMeasures =
      "  - name: m\n    table: measures\n    write: {hash: {key: \"m:{granularity}:{part}:{id}\"}}\n"
      "    reindex: {partition: part, granularity: {column: granularity, default: DAY}}\n";
  void SetUp() override {
    RebuildFixture::SetUp();
    sql("CREATE TABLE measures (granularity varchar(5), part int, id int, v text, PRIMARY KEY (granularity, part, "
        "id)); "
        "INSERT INTO measures SELECT g, p, i, 'v' FROM unnest('{DAY,HOUR}'::text[]) g, generate_series(1, 3) p, "
        "generate_series(1, 5) i");
  }
  void start_measures() {
    start(kMeasures);
    ASSERT_TRUE(measures_in_step());
  }
  testing::AssertionResult measures_in_step() {
    return in_step("measures", "'m:' || granularity || ':' || part || ':' || id", "m:*");
  }
  // In every slice a ghost, a missing row, and wrong content.
  Keys damage() {
    Keys damaged;
    for (const char* slice : {"DAY:1", "DAY:2", "DAY:12", "HOUR:1", "HOUR:2"}) {
      const std::string prefix = "m:" + std::string(slice) + ":";
      plant({prefix + "99"});
      redis().command("DEL", prefix + "1");
      if (redis().command("EXISTS", prefix + "2") == "1") redis().command("HSET", prefix + "2", "v", "wrong");
    }
    return keys();
  }
  // Redis is what it was but for one slice, which is right.
  void only(const Keys& damaged, const std::string& slice) {
    Keys expected = damaged;
    std::erase(expected, "m:" + slice + ":99");
    expected.push_back("m:" + slice + ":1");
    std::sort(expected.begin(), expected.end());
    EXPECT_TRUE(eventually_equal([] { return keys(); }, expected));
    for (const char* each : {"DAY:1", "DAY:2", "HOUR:1", "HOUR:2"}) {
      EXPECT_EQ(redis().command("HGET", "m:" + std::string(each) + ":2", "v"), each == slice ? "v" : "wrong") << each;
    }
  }
  JobAnswer partition(const std::string& query) { return post(route("m", "/partition?" + query)); }
};

TEST_F(RebuildSliceTest, ByTheMappingsWordsWithADefault) {
  start_measures();
  const auto damaged = damage();
  const auto done = partition("partition=1");
  EXPECT_EQ(done.http(), 200) << done.body();
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("partition"), "1");
  EXPECT_EQ(done.text("granularity"), "DAY");
  EXPECT_EQ(done.text("processedRecords"), "5");
  EXPECT_EQ(done.text("removedKeys"), "1");
  only(damaged, "DAY:1");
  const auto status = get(route("m", "/status?partition=1"));
  EXPECT_EQ(status.text("status"), "COMPLETED") << status.body();
  EXPECT_EQ(get(route("m", "/status?partition=2")).text("status"), "NOT_STARTED");
  EXPECT_EQ(get(route("m", "/status")).text("partition"), "1") << "the latest";
}

// Many rows are not one chunk: while Redis keeps them waiting no transaction stays open on the source.
TEST_F(RebuildSliceTest, ALargeOneIsReadInParts) {
  sql("INSERT INTO measures SELECT 'DAY', 4, i, repeat(md5(i::text), 40) FROM generate_series(1, 8000) i; ANALYZE "
      "measures");
  start(kMeasures, "load: {chunk_bytes: 64KiB}\nflush: {max_bytes: 64KiB}");
  ASSERT_TRUE(measures_in_step());
  redis().command("DEL", "m:DAY:4:1", "m:DAY:4:8000");
  plant({"m:DAY:4:9000"});
  const auto begun = post(route("m", "?where.part=4&where.granularity=DAY"));
  ASSERT_EQ(begun.http(), 202) << begun.body();
  const auto status = [this] { return get(route("m", "/status?where.part=4&where.granularity=DAY")); };
  ASSERT_TRUE(eventually([&] { return std::stol("0" + status().text("processedRecords")) > 100; }));
  redis().pause();
  const auto open = [this] {
    return sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE "
        "'walrelay%' AND backend_type = 'client backend' AND xact_start IS NOT NULL");
  };
  EXPECT_TRUE(eventually_equal(open, "0")) << "a chunk stays open";
  EXPECT_LT(std::stol("0" + status().text("processedRecords")), 8000);
  redis().resume();
  EXPECT_TRUE(eventually_equal([&] { return status().text("status"); }, "COMPLETED"));
  EXPECT_EQ(status().text("processedRecords"), "8000");
  EXPECT_EQ(status().text("removedKeys"), "1");
  EXPECT_TRUE(measures_in_step());
}

TEST_F(RebuildSliceTest, WithEveryWordGiven) {
  start_measures();
  const auto damaged = damage();
  EXPECT_EQ(partition("partition=2&granularity=HOUR").text("removedKeys"), "1");
  only(damaged, "HOUR:2");
}

TEST_F(RebuildSliceTest, ByColumns) {
  start_measures();
  const auto damaged = damage();
  EXPECT_EQ(partition("where.part=2&where.granularity=DAY").text("removedKeys"), "1");
  only(damaged, "DAY:2");
  EXPECT_EQ(partition("where.granularity=HOUR").text("removedKeys"), "2");
  EXPECT_EQ(partition("where.granularity=DAY").text("removedKeys"), "2") << "DAY:1 and DAY:12";
  EXPECT_TRUE(measures_in_step());
}

// A value is taken as PostgreSQL reads it, whatever its spelling.
TEST_F(RebuildSliceTest, OtherSpellingsOfAValue) {
  start_measures();
  const auto damaged = damage();
  EXPECT_EQ(partition("partition=%20001%20").text("removedKeys"), "1");
  only(damaged, "DAY:1");
}

TEST_F(RebuildSliceTest, DryRunOfASlice) {
  start_measures();
  const auto damaged = damage();
  const auto done = partition("partition=1&dry_run=true");
  EXPECT_EQ(done.text("removedKeys"), "1") << done.body();
  EXPECT_THAT(done.text("examples"), HasSubstr("m:DAY:1:99"));
  EXPECT_EQ(keys(), damaged);
}

TEST_F(RebuildSliceTest, TheWholeMappingStillMendsAll) {
  start_measures();
  damage();
  EXPECT_EQ(rebuild("m").text("removedKeys"), "5");
  EXPECT_TRUE(measures_in_step());
}

// The answer comes early where it is told to; slices run beside each other's requests.
TEST_F(RebuildSliceTest, AskedForManyAtOnce) {
  start_measures();
  damage();
  for (const char* query : {"partition=1&wait=0", "partition=2&wait=0", "partition=1&granularity=HOUR&wait=0",
                            "partition=2&granularity=HOUR&wait=0", "partition=12&wait=0"}) {
    const auto begun = partition(query);
    EXPECT_EQ(begun.http(), 202) << begun.body();
  }
  EXPECT_TRUE(measures_in_step());
}

// One record for each day that was ever asked for would fill Redis.
TEST_F(RebuildSliceTest, RecordsOfOldSlicesAreForgotten) {
  start_measures();
  ASSERT_EQ(partition("partition=1").text("status"), "COMPLETED");
  const std::string jobs = "walrelay:{" + name() + "}:jobs";
  const std::string slice = "m granularity=DAY part=1";
  ASSERT_EQ(redis().command("HEXISTS", jobs, slice), "1") << redis().command("HKEYS", jobs);
  walrelay().kill();
  // Records of 1,005 other slices that ended as early.
  redis().command(
      "EVAL",
      "local text = redis.call('HGET', KEYS[1], ARGV[1]) for i = 1001, 2005 do redis.call('HSET', KEYS[1], "
      "'m granularity=DAY part=' .. i, (string.gsub(text, '\"part\": *\"1\"', '\"part\":\"' .. i .. '\"'))) "
      "end",
      "1", jobs, slice);
  EXPECT_EQ(redis().command("HLEN", jobs), "1006");
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_EQ(partition("partition=2").text("status"), "COMPLETED");
  EXPECT_TRUE(eventually_equal([&] { return redis().command("HLEN", jobs); }, "1000"));
  EXPECT_EQ(redis().command("HEXISTS", jobs, "m granularity=DAY part=2"), "1");
}

TEST_F(RebuildSliceTest, MistakesAreSaid) {
  start_measures();
  const auto damaged = damage();
  struct Row {
    const char* query;
    std::vector<std::string> says;
  };
  for (const Row& row :
       std::vector<Row>{{"partition=1&granule=DAY", {"unknown parameter", "\"granule\"", "partition, granularity"}},
                        {"granularity=DAY", {"parameter \"partition\" is missing"}},
                        {"", {"parameter \"partition\" is missing"}},
                        {"partition=abc", {"\"part\"", "integer", "abc"}},
                        {"partition=99999999999", {"\"part\"", "out of range"}},
                        {"partition=", {"\"part\""}},
                        {"where.nosuch=1", {"has no column \"nosuch\""}},
                        {"where.part%22%3B%20DROP%20TABLE%20measures%3B--=1", {"has no column"}},
                        {"partition=1;%20DROP%20TABLE%20measures", {"\"part\""}},
                        {"partition=1&wait=soon", {"wait", "duration"}},
                        {"partition=1&dry_run=perhaps", {"dry_run", "true or false"}}}) {
    const auto refused = partition(row.query);
    EXPECT_EQ(refused.http(), 400) << row.query << ": " << refused.body();
    const std::string said = refused.text("error") + refused.text("errorMessage");
    for (const auto& words : row.says) EXPECT_THAT(said, HasSubstr(words)) << row.query;
  }
  EXPECT_EQ(keys(), damaged);
  EXPECT_EQ(sql("SELECT count(*) FROM measures"), "30");
}

// What an SQL text could do, as the value of a text column: it names no row.
TEST_F(RebuildSliceTest, ValuesAreNeverSql) {
  start_measures();
  const auto damaged = damage();
  for (const char* value : {"DAY'%20OR%20'1'='1", "'%20OR%20true%20--", "%5C'%20OR%20true%20--", "'||pg_sleep(9)||'"}) {
    const auto done = partition("partition=1&granularity=" + std::string(value));
    EXPECT_EQ(done.text("processedRecords"), "0") << value << done.body();
    EXPECT_EQ(done.text("removedKeys"), "0") << value;
  }
  EXPECT_EQ(keys(), damaged);
}

TEST_F(RebuildSliceTest, AMappingThatDeclaresNothing) {
  start("  - {name: m, table: measures, write: {hash: {key: \"m:{granularity}:{part}:{id}\"}}}\n");
  ASSERT_TRUE(measures_in_step());
  const auto damaged = damage();
  EXPECT_EQ(partition("").http(), 400);
  EXPECT_THAT(partition("").text("error"), HasSubstr("reindex:"));
  EXPECT_EQ(partition("partition=1").http(), 400);
  EXPECT_EQ(partition("where.granularity=DAY&where.part=1").http(), 200);
  only(damaged, "DAY:1");
}

// Keys that do not say to which slice they belong are not swept, and the job says so.
TEST_F(RebuildSliceTest, KeysThatDoNotSayTheSlice) {
  sql("CREATE TABLE plain (id int PRIMARY KEY, part int); INSERT INTO plain SELECT i, i % 2 FROM generate_series(1, "
      "10) i");
  start("  - {name: plain, table: plain, write: {hash: {key: \"p:{id}\"}}, reindex: {partition: part}}\n");
  ASSERT_TRUE(in_step("plain", "'p:' || id", "p:*"));
  plant({"p:99"});
  redis().command("DEL", "p:1", "p:2");
  const auto done = post(route("plain", "/partition?partition=1"));
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_THAT(done.text("errorMessage"), HasSubstr("not swept"));
  EXPECT_TRUE(eventually_equal([] { return left_of({"p:1", "p:2", "p:99"}); }, Keys{"p:1", "p:99"}));
}

TEST_F(RebuildSliceTest, RowsThatChangeWhileTheirSliceIsRead) {
  start_measures();
  damage();
  Beside writer(
      postgres(), name(),
      "DO $$ BEGIN FOR r IN 1..300 LOOP DELETE FROM measures WHERE part = 1 AND id % 2 = r % 2; INSERT INTO "
      "measures SELECT g, 1, i, 'r' || r FROM unnest('{DAY,HOUR}'::text[]) g, generate_series(1, 5) i WHERE i % "
      "2 = r % 2 ON CONFLICT DO NOTHING; COMMIT; END LOOP; END $$");
  int rounds = 0;
  while (!writer.done() || rounds < 3) {
    const auto done = partition("partition=1");
    ASSERT_EQ(done.text("status"), "COMPLETED") << done.body();
    ++rounds;
  }
  EXPECT_EQ(writer.join(), "");
  for (const char* query :
       {"partition=2", "partition=1&granularity=HOUR", "partition=2&granularity=HOUR", "partition=12"}) {
    EXPECT_EQ(partition(query).http(), 200) << query;
  }
  EXPECT_TRUE(measures_in_step());
}

// For programs that look there: reindex.status_table, as the index service of before had it.
TEST_F(RebuildSliceTest, NotedInATableOfTheSource) {
  sql("CREATE TABLE reindex_status (id bigserial PRIMARY KEY, index_name varchar(100) NOT NULL, status varchar(20) NOT "
      "NULL, granularity varchar(10), partition_num int, total_records bigint, processed_records bigint DEFAULT 0, "
      "started_at timestamp DEFAULT now(), completed_at timestamp, error_message text, UNIQUE (index_name, status));"
      "CREATE TABLE measured (granularity text, part int, id int, PRIMARY KEY (granularity, part, id));"
      "INSERT INTO measured SELECT 'DAY', p, i FROM generate_series(1, 3) p, generate_series(1, 5) i");
  start(
      "  - {name: m, table: measured, write: {hash: {key: \"m:{granularity}:{part}:{id}\"}}, reindex: {partition: "
      "part, "
      "granularity: {column: granularity, default: DAY}, status_table: public.reindex_status}}\n");
  const auto noted = [&] {
    return sql(
        "SELECT status, granularity, partition_num, processed_records, completed_at IS NOT NULL, "
        "error_message IS NOT NULL FROM reindex_status ORDER BY status");
  };
  EXPECT_EQ(post(route("m", "/partition?partition=2")).http(), 200);
  EXPECT_TRUE(eventually_equal(noted, std::string("COMPLETED|DAY|2|5|t|f")));
  EXPECT_EQ(rebuild("m").text("status"), "COMPLETED");
  EXPECT_TRUE(eventually_equal(noted, std::string("COMPLETED|||15|t|f")));
  EXPECT_EQ(post(route("m", "/partition?partition=x")).http(), 400);
  EXPECT_TRUE(eventually_equal(noted, std::string("COMPLETED|||15|t|f\nFAILED|DAY||0|t|t")));
}

}  // namespace
}  // namespace walrelay::support
