// Rows that are members of keys which rows share: sets, sorted sets, fields, bitmaps, roaring bitmaps. PostgreSQL says
// in SQL what each must hold; a seeded workload of every operation, kills included, ends equal, and verify finds
// nothing.
#include <random>

#include "tests/support/redis_structures.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

// Each kind three times: the identity says all, it is FULL, or walrelay keeps where rows stand.
constexpr const char* kMappings = R"(
  - table: by_id
    write:
      - set: {key: "i:set", member: "{id}", when: shown}
      - zset: {key: "i:zset", member: "{id}", score: n, when: shown}
      - hash_field: {key: "i:fields", field: "{id}", column: g, when: shown}
      - bitmap: {key: "i:bits:all", bit: id, when: shown}
      - roaring: {key: "i:roaring:all", value: id, when: shown}
  - table: whole
    write:
      - set: {key: "f:set:{g}", member: "{id}", when: shown}
      - set: {key: "f:groups", member: "{g}"}
      - zset: {key: "f:zset:{g}", member: "{id}", score: n}
      - hash_field: {key: "f:fields:{g}", field: "{id}", value: "{n}/{g}"}
      - bitmap: {key: "f:bits:{g}", bit: n}
      - roaring: {key: "f:roaring:{g}", value: n, when: shown}
      - hash: {key: "f:hash:{id}", columns: [n], when: shown}
  - table: tracked
    write:
      - set: {key: "t:set:{g}", member: "{id}", when: shown, track: redis}
      - set: {key: "t:groups", member: "{g}", track: redis}
      - zset: {key: "t:zset:{g}", member: "{id}", score: n, track: redis}
      - hash_field: {key: "t:fields:{g}", field: "{id}", value: "{n}/{g}", track: redis}
      - bitmap: {key: "t:bits:{g}", bit: n, track: redis}
      - roaring: {key: "t:roaring:{g}", value: n, when: shown, track: redis}
      - hash: {key: "t:hash:{g}:{id}", columns: [n], when: shown, track: redis}
)";

constexpr const char* kExpected = R"(
  SELECT 'i:set', id::text, '' FROM by_id WHERE shown
  UNION ALL SELECT 'i:zset', id::text, n::text FROM by_id WHERE shown
  UNION ALL SELECT 'i:fields', id::text, g FROM by_id WHERE shown
  UNION ALL SELECT 'i:bits:all', id::text, '' FROM by_id WHERE shown
  UNION ALL SELECT 'i:roaring:all', id::text, '' FROM by_id WHERE shown
  UNION ALL SELECT p || 'set:' || g, id::text, '' FROM rows WHERE shown
  UNION ALL SELECT DISTINCT p || 'groups', g, '' FROM rows
  UNION ALL SELECT p || 'zset:' || g, id::text, n::text FROM rows
  UNION ALL SELECT p || 'fields:' || g, id::text, n || '/' || g FROM rows
  UNION ALL SELECT DISTINCT p || 'bits:' || g, n::text, '' FROM rows
  UNION ALL SELECT DISTINCT p || 'roaring:' || g, n::text, '' FROM rows WHERE shown
  UNION ALL SELECT 'f:hash:' || id, 'n', n::text FROM whole WHERE shown
  UNION ALL SELECT 't:hash:' || g || ':' || id, 'n', n::text FROM tracked WHERE shown)";

class MemberKindsTest : public EndToEnd {
 protected:
  void tables() {
    for (const std::string table : {"by_id", "whole", "tracked"}) {
      sql("CREATE TABLE " + table + " (id int PRIMARY KEY, g text NOT NULL, n int NOT NULL, shown bool)");
    }
    sql("ALTER TABLE whole REPLICA IDENTITY FULL; CREATE VIEW rows AS SELECT 'f:' AS p, * FROM whole UNION ALL SELECT "
        "'t:', * FROM tracked");
  }
  [[nodiscard]] Structures expected() const {
    Structures all;
    std::istringstream lines(
        sql(std::string("SELECT concat_ws(E'\\t', a, b, c) FROM (") + kExpected + ") AS e(a, b, c)"));
    for (std::string line; std::getline(lines, line);) {
      const auto first = line.find('\t'), second = line.find('\t', first + 1);
      all[line.substr(0, first)][line.substr(first + 1, second - first - 1)] = line.substr(second + 1);
    }
    return all;
  }
  [[nodiscard]] static Structures found() {
    Structures all = structures(redis().client(), "[ift]:*");
    return all;
  }
  testing::AssertionResult ends_equal() {
    return become_equal([] { return found(); }, expected());
  }
};

// One statement of the workload on one of the tables.
std::string statement(std::mt19937_64& random) {
  const auto upto = [&random](int most) { return std::to_string(random() % static_cast<std::uint64_t>(most)); };
  const std::string table = std::vector<std::string>{"by_id", "whole", "tracked"}[random() % 3];
  const std::string id = upto(40);
  const std::string value = "'g" + upto(4) + "', " + upto(random() % 4 == 0 ? 200000 : 30) + ", " +
                            std::vector<std::string>{"true", "false", "NULL"}[random() % 3];
  switch (random() % 12) {
    case 0:
    case 1:
    case 2:
      return "INSERT INTO " + table + " VALUES (" + id + ", " + value +
             ") ON CONFLICT (id) DO UPDATE SET g = EXCLUDED.g, n = EXCLUDED.n, shown = EXCLUDED.shown";
    case 3:
    case 4:
      return "DELETE FROM " + table + " WHERE id = " + id;
    case 5:
      return "UPDATE " + table + " SET (g, n, shown) = ROW(" + value + ") WHERE id % 5 = " + upto(5);
    case 6:
      return "UPDATE " + table + " SET id = id + 1000 WHERE id = " + id + " AND NOT EXISTS (SELECT FROM " + table +
             " x WHERE x.id = " + id + " + 1000)";
    case 7:
      return "DELETE FROM " + table + " WHERE id % 3 = " + upto(3);
    case 8:
      return "INSERT INTO " + table + " SELECT i, 'g' || i % 3, i % 20, i % 2 = 0 FROM generate_series(" + upto(30) +
             ", 45) i ON CONFLICT DO NOTHING";
    case 9:
      return random() % 3 == 0 ? "TRUNCATE " + table : "DELETE FROM " + table + " WHERE id > 900";
    case 10:
      return "UPDATE " + table + " SET shown = NOT shown WHERE id % 2 = " + upto(2);
    default:
      return "DELETE FROM " + table + " WHERE id = " + id + "; INSERT INTO " + table + " VALUES (" + id + ", " + value +
             ") ON CONFLICT DO NOTHING";
  }
}

std::string transaction(std::mt19937_64& random) {
  std::string text = "BEGIN";
  for (std::size_t i = 0, count = 1 + random() % 6; i < count; ++i) text += "; " + statement(random);
  return text + (random() % 10 == 0 ? "; ROLLBACK" : "; COMMIT");
}

class MemberModel : public MemberKindsTest, public testing::WithParamInterface<std::uint64_t> {};

TEST_P(MemberModel, EndsEqualWhateverHappens) {
  const std::uint64_t seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  tables();
  for (int i = 0; i < 10; ++i) sql(transaction(random));
  start(kMappings, "on_row_error: halt\nflush: {interval: " + std::string(random() % 2 == 0 ? "0" : "30ms") + "}");
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 25; ++i) sql(transaction(random));
    if (round == 1) {
      EXPECT_TRUE(ends_equal());
    }
    if (round == 2) continue;
    walrelay().kill();
    for (int i = 0; i < 5; ++i) sql(transaction(random));
    walrelay().start();
    walrelay().wait_ready();
  }
  EXPECT_TRUE(ends_equal());
  EXPECT_TRUE(verifies());
}

INSTANTIATE_TEST_SUITE_P(Seeds, MemberModel, testing::Values(1U, 2U, 3U, 4U));

TEST_F(MemberKindsTest, WhatOthersKeepThereStays) {
  tables();
  redis().command("SADD", "f:groups", "empty");
  redis().command("SADD", "t:groups", "empty");
  redis().command("SADD", "i:set", "not a number");
  sql("INSERT INTO whole VALUES (1, 'a', 7, true); INSERT INTO tracked SELECT * FROM whole; INSERT INTO by_id SELECT * "
      "FROM whole");
  start(kMappings);
  Structures wanted = expected();
  for (const char* key : {"f:groups", "t:groups"}) wanted[key]["empty"] = "";
  wanted["i:set"]["not a number"] = "";
  EXPECT_TRUE(eventually([&] { return difference(found(), wanted).empty(); })) << difference(found(), wanted);
  EXPECT_TRUE(verifies()) << "what is not ours does not differ";
  sql("TRUNCATE whole, tracked, by_id");
  wanted = {{"f:groups", {{"empty", ""}}}, {"t:groups", {{"empty", ""}}}, {"i:set", {{"not a number", ""}}}};
  EXPECT_TRUE(eventually([&] { return difference(found(), wanted).empty(); })) << difference(found(), wanted);
  EXPECT_TRUE(redis().keys("walrelay:{*}:track:*").empty());
  EXPECT_TRUE(redis().keys("walrelay:{*}:support:*").empty());
}

TEST_F(MemberKindsTest, AMemberGoesWithTheLastRowThatSupportsIt) {
  tables();
  start(kMappings);
  for (const std::string table : {"whole", "tracked"}) {
    const std::string groups = table == "whole" ? "f:groups" : "t:groups";
    const auto there = [&] { return redis().command("SISMEMBER", groups, "a"); };
    sql("INSERT INTO " + table + " VALUES (1, 'a', 7, true), (2, 'a', 8, true)");
    EXPECT_TRUE(eventually_equal(there, "1"));
    sql("DELETE FROM " + table + " WHERE id = 1");
    EXPECT_TRUE(caught_up());
    EXPECT_EQ(there(), "1") << table;
    sql("UPDATE " + table + " SET g = 'b' WHERE id = 2");
    EXPECT_TRUE(eventually_equal(there, "0"));
  }
}

TEST_F(MemberKindsTest, GhostsGoAndWhatIsMissingComesBack) {
  tables();
  for (const char* table : {"by_id", "whole", "tracked"}) {
    sql(std::string("INSERT INTO ") + table + " SELECT i, 'g' || i % 3, i, true FROM generate_series(1, 300) i");
  }
  start(kMappings);
  EXPECT_TRUE(ends_equal());
  redis().command("SADD", "i:set", "77777");
  redis().command("ZADD", "i:zset", "5", "88888");
  redis().command("ZADD", "i:zset", "5", "12");  // a wrong score
  redis().command("HSET", "i:fields", "99999", "x");
  redis().command("SETBIT", "i:bits:all", "4000", "1");
  redis().command("SETBIT", "i:bits:all", "12", "0");
  redis().command("SREM", "f:set:g1", "4");
  redis().command("ZADD", "f:zset:g9", "1", "1");
  redis().command("SADD", "t:set:g1", "123456");
  redis().command("DEL", "t:roaring:g1");
  EXPECT_EQ(walrelay().command({"verify"}).status, 3);
  const auto mended = walrelay().command({"verify", "--repair"});
  EXPECT_TRUE(ends_equal()) << mended.output;
  EXPECT_TRUE(verifies());
}

}  // namespace
}  // namespace walrelay::support
