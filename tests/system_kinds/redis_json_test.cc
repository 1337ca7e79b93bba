// The kind json on a real RedisJSON, where no other write of the table needs the whole row: what an UPDATE leaves alone
// stays in the document.
#include <random>

#include "tests/support/sql_connection.h"
#include "tests/system_kinds/redis_json_fixture.h"

namespace walrelay::support {
namespace {

class RedisJsonTest : public OnRedisJson<EndToEnd> {
 protected:
  static constexpr const char* kMapping = "  - {name: notes, table: notes, write: {json: {key: \"note:{id}\"}}}\n";
  static constexpr const char* kTable =
      "CREATE TABLE notes (id int PRIMARY KEY, n int, attrs jsonb, tags text[], \"a name\" text, big text);"
      "ALTER TABLE notes ALTER big SET STORAGE EXTERNAL;";
  static constexpr const char* kBig = "repeat(md5(i::text), 200)";

  // Every row, as jsonb prints it, by key.
  static std::string rows() {
    return "SELECT coalesce(string_agg('note:' || id || ' ' || to_jsonb(t)::text, E'\\n' ORDER BY id), '') FROM notes "
           "t";
  }
  std::string documents() {
    std::string all;
    for (const std::string& key : redis().keys("note:*")) {
      all += (all.empty() ? "" : ", ") + ("('" + key + "', $json$" + redis().command("JSON.GET", key) + "$json$)");
    }
    if (all.empty()) return "";
    return sql("SELECT string_agg(k || ' ' || v::jsonb::text, E'\\n' ORDER BY substr(k, 6)::int) FROM (VALUES " + all +
               ") x(k, v)");
  }
  testing::AssertionResult ends_equal() {
    return eventually([this] {
      const std::string wanted = sql(rows()), found = documents();
      return wanted == found ? testing::AssertionSuccess()
                             : testing::AssertionFailure() << "rows:\n"
                                                           << wanted.substr(0, 2000) << "\ndocuments:\n"
                                                           << found.substr(0, 2000);
    });
  }
  double read_again() {
    return walrelay()
        .metric("walrelay_postgres_query_duration_seconds_count{slot=\"" + name() + "\",purpose=\"reread\"}")
        .value_or(-1);
  }
};

TEST_F(RedisJsonTest, WhatAnUpdateLeavesAloneStays) {
  sql(std::string(kTable) + "INSERT INTO notes SELECT i, i, '{\"a\": {\"b\": 1}, \"gone\": 2}', '{x,y}', 'name', " +
      kBig + " FROM generate_series(1, 3) i");
  start(kMapping);
  EXPECT_TRUE(ends_equal());
  EXPECT_EQ(redis().command("TYPE", "note:1"), "ReJSON-RL");
  const long merged = calls_of("json.merge");
  sql("UPDATE notes SET n = n + 1, \"a name\" = 'quo\"ted' WHERE id = 1");
  sql("UPDATE notes SET attrs = '{\"a\": {}}', tags = '{z,NULL}' WHERE id = 2");
  sql("UPDATE notes SET attrs = NULL, tags = NULL, n = NULL, \"a name\" = NULL WHERE id = 3");
  EXPECT_TRUE(ends_equal());
  sql("UPDATE notes SET attrs = 'null' WHERE id = 1; UPDATE notes SET attrs = '[{\"a\": null}]' WHERE id = 2;"
      "UPDATE notes SET attrs = '{\"late\": true}', n = 7 WHERE id = 3");
  EXPECT_TRUE(ends_equal());
  EXPECT_EQ(calls_of("json.merge") - merged, 6);
  EXPECT_EQ(read_again(), 0);
  EXPECT_TRUE(verifies());
}

// What would be made of a part of the row is no document of it.
TEST_F(RedisJsonTest, ADocumentThatIsAwayComesBackWhole) {
  sql(std::string(kTable) + "INSERT INTO notes SELECT i, i, '{}', '{}', 'name', " + kBig +
      " FROM generate_series(1, 2) i");
  start(kMapping);
  EXPECT_TRUE(ends_equal());
  redis().command("UNLINK", "note:1", "note:2");
  sql("UPDATE notes SET n = 10 WHERE id = 1; UPDATE notes SET n = 20, big = 'small' WHERE id = 2");
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(redis().keys("note:*"), std::vector<std::string>{"note:2"});
  EXPECT_EQ(walrelay().command({"verify"}).status, 3);
  EXPECT_EQ(walrelay().command({"verify", "--repair"}).status, 0);
  EXPECT_TRUE(ends_equal());
}

TEST_F(RedisJsonTest, ExplainShowsDocuments) {
  sql(kTable);
  const auto told =
      Walrelay({.config = config(kMapping)}).command({"explain", "--table", "notes", "--row", R"({"id": 1})"});
  EXPECT_EQ(told.output.rfind("JSON.SET note:1 $ ", 0), 0U) << told.output << told.errors;
}

class RedisJsonModel : public RedisJsonTest, public testing::WithParamInterface<std::uint64_t> {};

TEST_P(RedisJsonModel, EndsEqualWhateverHappens) {
  const std::uint64_t seed = GetParam() != 0 ? GetParam() : std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto draw = [&random](std::uint64_t most) { return std::to_string(random() % most); };
  const auto statement = [&]() -> std::string {
    const std::string id = draw(20), update = "UPDATE notes SET ", where = " WHERE id % 4 = " + draw(4);
    switch (random() % 8) {
      case 0:
        return "INSERT INTO notes SELECT i, i, jsonb_build_object('k" + draw(3) + "', i), ARRAY['t'], 'name', " + kBig +
               " FROM generate_series(" + id + ", 22) i ON CONFLICT DO NOTHING";
      case 1:
        return "DELETE FROM notes WHERE id = " + id;
      case 2:
        return update + "id = id + 100 WHERE id = " + id + " AND NOT EXISTS (SELECT FROM notes x WHERE x.id = " + id +
               " + 100)";
      case 3:
        return update + "big = " + (random() % 2 == 0 ? "'short'" : "repeat(md5('" + draw(99) + "'), 150)") + where;
      case 4:
        return update + "n = NULL, tags = array_append(tags, '" + draw(9) + "')" + where;
      case 5:
        return update + "attrs = attrs || jsonb_build_object('k" + draw(4) + "', jsonb_build_object('n', " + draw(9) +
               "))" + where;
      case 6:
        return update + "attrs = attrs - 'k" + draw(4) + "', n = " + draw(1000) + where;
      default:
        return random() % 6 == 0 ? "TRUNCATE notes"
                                 : update + "\"a name\" = 'v" + draw(99) + "', n = " + draw(99) + where;
    }
  };
  sql(std::string(kTable));
  SqlConnection source(postgres().conninfo(name()));
  start(kMapping);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 60; ++i) source.run(statement());
    walrelay().kill();
    for (int i = 0; i < 5; ++i) source.run(statement());
    walrelay().start();
    walrelay().wait_ready();
    EXPECT_TRUE(ends_equal());
  }
  EXPECT_GT(calls_of("json.merge"), 0);
  EXPECT_TRUE(verifies());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RedisJsonModel, testing::Values(1U, 2U, 3U, 0U));

}  // namespace
}  // namespace walrelay::support
