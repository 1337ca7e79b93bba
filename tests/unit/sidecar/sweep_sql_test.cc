// The sweep's question: names and texts are quoted, whatever they hold.
#include "sidecar/sweep_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using sinks::KeyReading;
using testing::HasSubstr;
using testing::Not;

SweepTable users() { return {"public", "users", false, "", {"id"}, {"integer"}, {"id"}}; }

std::string sql(const SweepTable& table, const std::vector<KeyReading>& readings) {
  std::vector<const KeyReading*> pointers;
  for (const auto& each : readings) pointers.push_back(&each);
  return sweep_sql(table, pointers);
}

TEST(SweepSql, OneLineForEachReading) {
  EXPECT_EQ(sql(users(), {{{{0, "1"}}}, {{{0, "22"}}}}),
            "SELECT v.n, v.v0, t.t0 FROM (VALUES (0, '1'::integer), (1, '22'::integer)) AS v(n, v0) "
            "LEFT JOIN (SELECT \"id\" AS c0, \"id\" AS t0 FROM ONLY \"public\".\"users\") AS t ON t.c0 = v.v0");
}

TEST(SweepSql, SeveralColumnsAndAPartitionedTable) {
  const SweepTable table{"s", "t", true, "", {"a", "b"}, {"text", "numeric(10,2)"}, {"b", "c", "a"}};
  EXPECT_EQ(
      sql(table, {{{{3, "x"}, {7, "1.50"}}}}),
      "SELECT v.n, v.v0, v.v1, t.t0, t.t1, t.t2 FROM (VALUES (0, 'x'::text, '1.50'::numeric(10,2))) AS v(n, v0, v1) "
      "LEFT JOIN (SELECT \"a\" AS c0, \"b\" AS c1, \"b\" AS t0, \"c\" AS t1, \"a\" AS t2 FROM \"s\".\"t\") AS t "
      "ON t.c0 = v.v0 AND t.c1 = v.v1");
}

TEST(SweepSql, OnlyRowsThatThePublicationCarries) {
  SweepTable table = users();
  table.row_filter = "(id > 5)";
  EXPECT_THAT(sql(table, {{{{0, "1"}}}}), HasSubstr("\"users\" WHERE (id > 5)) AS t ON"));
}

TEST(SweepSql, NamesAndTextsAreQuoted) {
  const SweepTable table{"a\"b", "c\"d'", false, "", {"e\"f", "v0", "n"}, {"text", "text", "text"}, {"n"}};
  const std::string asked = sql(table, {{{{0, "it's"}, {1, "'; DROP TABLE x; --"}, {2, "back\\slash'"}}}});
  EXPECT_THAT(asked, HasSubstr("FROM ONLY \"a\"\"b\".\"c\"\"d'\""));
  EXPECT_THAT(asked, HasSubstr("\"e\"\"f\" AS c0, \"v0\" AS c1, \"n\" AS c2, \"n\" AS t0"));
  EXPECT_THAT(asked, HasSubstr("'it''s'::text"));
  EXPECT_THAT(asked, HasSubstr("'''; DROP TABLE x; --'::text"));
  EXPECT_THAT(asked, HasSubstr("E'back\\\\slash'''::text"));
  EXPECT_THAT(asked, Not(HasSubstr(" '; DROP")));
}

TEST(SweepSql, ReadingsThatSayNothingAreAnsweredByEveryRow) {
  const SweepTable table{"s", "t", false, "", {}, {}, {"a"}};
  EXPECT_EQ(
      sql(table, {{}}),
      "SELECT v.n, t.t0 FROM (VALUES (0)) AS v(n) LEFT JOIN (SELECT \"a\" AS t0 FROM ONLY \"s\".\"t\") AS t ON true");
}

TEST(SweepSql, TheLineHasTheNumberTheColumnsAndThoseFound) {
  const SweepTable table{"s", "t", false, "", {"a", "b"}, {"text", "text"}, {"a", "c"}};
  const auto line = sweep_relation(table, 42);
  EXPECT_EQ(line.oid, 42U);
  EXPECT_EQ(line.columns.size(), 5U);
  EXPECT_EQ(line.qualified(), "s.t");
  for (const auto& column : line.columns) EXPECT_EQ(column.type, nullptr) << "text is asked for";
}

}  // namespace
}  // namespace walrelay::sidecar
