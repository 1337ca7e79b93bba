#include "sinks/expressions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "computing.h"

namespace walrelay::sinks {
namespace {

using testing::absent;
using testing::Cell;
using testing::Cells;
using testing::computed;
using testing::Computing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::null;
using testing::Row;
using testing::Table;
using testing::unchanged;
using Side = Expressions::Side;
using Texts = std::vector<std::string>;
using Places = std::vector<std::size_t>;

// The meter index of the seed systems: bits of a bitmap.
Computing meters() {
  return Computing({"id:bigint:key", "granularity:text", "epoch_value:bigint", "doc:jsonb"},
                   {{"size", "CASE granularity WHEN 'DAY' THEN 180 WHEN 'MONTH' THEN 6 ELSE 1 END"},
                    {"part", "floordiv(epoch_value, size)"},
                    {"g", "lower(granularity)"}},
                   {"epoch_value - part * size", "doc->>'name'"});
}

TEST(Expressions, ComputesLetsAndExpressionsBehindTheRow) {
  Computing meter = meters();
  const Row row = meter.expressions.evaluate(meter.table.row({"1", "MONTH", "-20", R"({"name": "x"})"}), Side::now);
  Texts all;
  for (const auto& value : row) all.push_back(testing::shown(value));
  EXPECT_THAT(all, ElementsAre("1", "MONTH", "-20", R"({"name": "x"})", "6", "-4", "month", "4", "x"));
  EXPECT_THAT(meter.of({"2", "DAY", "361", "{}"}), ElementsAre("180", "2", "day", "1", "<null>"));
  EXPECT_THAT(meter.of({"2", null, null, null}), ElementsAre("1", "<null>", "<null>", "<null>", "<null>"));
}

TEST(Expressions, EachSideHasItsOwnMemory) {
  Computing meter = meters();
  const Row before = meter.expressions.evaluate(meter.table.row({"1", "MONTH", "13", null}), Side::before);
  const Row now = meter.expressions.evaluate(meter.table.row({"1", "DAY", "361", null}), Side::now);
  EXPECT_EQ(before[6].text, "month");
  EXPECT_EQ(now[6].text, "day");
  EXPECT_EQ(before[7].text, "1");
}

TEST(Expressions, AnEmptyRowGivesAnEmptyOne) { EXPECT_TRUE(meters().expressions.evaluate({}, Side::before).empty()); }

TEST(Expressions, WithoutExpressionsTheRowIsTheOneThatWasGiven) {
  Table table("public.t", {"id:integer:key"});
  Expressions expressions(table.relation, {}, {});
  EXPECT_EQ(expressions.add("id"), 0U);
  expressions.compile();
  EXPECT_TRUE(expressions.empty());
  const Row row = table.row({"1"});
  EXPECT_EQ(expressions.evaluate(row, Side::now).data(), row.data());
}

TEST(Expressions, ABareNameIsTheColumnOrTheLetItself) {
  Table table("public.t", {"id:integer:key", "Odd name:text"});
  Expressions expressions(table.relation, {{"queue", "q"}}, {{"part", "id / 2"}});
  EXPECT_EQ(expressions.find_let("part"), std::optional<std::size_t>(2));
  EXPECT_EQ(expressions.find_let("id"), std::nullopt);
  EXPECT_EQ(expressions.add("id"), 0U);
  EXPECT_EQ(expressions.add(" ID\n"), 0U);  // as SQL has it
  EXPECT_EQ(expressions.add("\"Odd name\""), 1U);
  EXPECT_EQ(expressions.add("part"), 2U);
  EXPECT_EQ(expressions.add("id + 1"), 3U);
  EXPECT_EQ(expressions.add(" id + 1 "), 3U);
  EXPECT_EQ(expressions.add("queue"), 4U);
  EXPECT_EQ(expressions.text_of(1), "Odd name");
  EXPECT_EQ(expressions.text_of(2), "part");
  EXPECT_EQ(expressions.text_of(3), "id + 1");
}

TEST(Expressions, KnowsTheColumnsThatAreRead) {
  Table table("public.t", {"id:integer:key", "a:text", "b:text", "settings:jsonb", "value:text"});
  Expressions expressions(table.relation, {{"queue", "q"}},
                          {{"x", "b || queue"}, {"y", "x || id"}, {"b", "lower(b)"}, {"z", "b"}});
  const auto let = [&](const std::string& name) { return expressions.reads(*expressions.find_let(name)); };
  EXPECT_EQ(expressions.reads(3), Places({3}));
  EXPECT_EQ(let("x"), Places({2}));
  EXPECT_EQ(let("y"), Places({0, 2}));
  EXPECT_EQ(let("z"), Places({2}));
  const auto reads = [&](const std::string& text) { return expressions.reads(expressions.add(text)); };
  EXPECT_EQ(reads("1 + 1"), Places());
  EXPECT_EQ(reads("'a' || queue"), Places());
  EXPECT_EQ(reads("y || a"), Places({0, 1, 2}));
  EXPECT_EQ(reads("CASE WHEN id THEN a ELSE \"B\" END"), Places({0, 1, 2}));
  EXPECT_EQ(reads("(SELECT max(value) FROM json_each(settings) WHERE id > 0)"), Places({3}));
  EXPECT_EQ(reads("(SELECT max(value || row.value) || row.id FROM json_each(settings))"), Places({0, 3, 4}));
  EXPECT_EQ(reads("EXISTS (SELECT 1 FROM json_tree(settings, '$.' || a))"), Places({1, 3}));
}

TEST(Expressions, ALetMayHideAColumnButNotBeforeItStands) {
  Computing computing({"name:text:key"}, {{"first", "name || 1"}, {"NAME", "lower(name)"}, {"last", "name || 2"}},
                      {"name || 3"});
  EXPECT_THAT(computing.of({"Ann"}), ElementsAre("Ann1", "ann", "ann2", "ann3"));
}

TEST(Expressions, CapturesAreTextAndHideColumns) {
  Computing computing({"id:integer:key", "Queue:integer"}, {{"all", "queue || '/' || p"}},
                      {"typeof(p)", "p + 1", "p", "queue"}, {{"queue", "a'b"}, {"p", "007"}, {"not used", "x"}});
  for (int i = 0; i < 2; ++i) EXPECT_THAT(computing.of({"1", "5"}), ElementsAre("a'b/007", "text", "8", "007", "a'b"));
}

TEST(Expressions, WhatIsUnknownStaysUnknownAndTheRestIsComputed) {
  Computing meter = meters();
  EXPECT_THAT(meter.of({"1", "DAY", "361", unchanged}), ElementsAre("180", "2", "day", "1", "<unchanged>"));
  EXPECT_THAT(meter.of({"1", unchanged, "361", "{\"name\":1}"}),
              ElementsAre("<unchanged>", "<unchanged>", "<unchanged>", "<unchanged>", "1"));
  EXPECT_THAT(meter.of({"1", absent, "361", absent}),
              ElementsAre("<absent>", "<absent>", "<absent>", "<absent>", "<absent>"));
  EXPECT_THAT(meter.of({unchanged, "DAY", "361", "{}"}), ElementsAre("180", "2", "day", "1", "<null>"));
}

TEST(Expressions, AnUnknownValueIsNeverTakenForNull) {
  EXPECT_EQ(computed("a IS NULL", "text", unchanged), "<unchanged>");
  EXPECT_EQ(computed("coalesce(a, 'x')", "text", absent), "<absent>");
  EXPECT_EQ(computed("coalesce(a, 'x')", "text", null), "x");
}

TEST(Expressions, NamesNeedNoMoreThanSqlQuotes) {
  Computing computing(
      {"select:integer", "a\"b:integer", "größe:integer", "order by:integer", "x;--:integer", "a.b:integer"},
      {{"let it be", "\"select\" + 1"}, {"it''s \"quoted\"", "\"let it be\" + 1"}},
      {"\"a\"\"b\" + größe + [order by]", "`x;--` * 1", "row.\"a.b\" || ''", "\"it''s \"\"quoted\"\"\" + 1"});
  EXPECT_THAT(computing.of({"1", "2", "3", "4", "5", "6"}), ElementsAre("2", "3", "9", "5", "6", "4"));
}

TEST(Expressions, NamesThatDifferInTheirCaseAreRefusedOnlyWhereTheyAreRead) {
  Table table("public.t", {"a:integer", "A:integer", "b:integer"});
  Expressions expressions(table.relation, {}, {});
  EXPECT_EQ(expressions.add("A"), 1U);
  EXPECT_EQ(expressions.reads(expressions.add("b + 1")), Places({2}));
  try {
    expressions.add("a + 1");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(
        error.what(),
        "\"a + 1\": \"a\" may be \"a\" or \"A\"; an expression cannot tell capitals from small letters in names");
  }
}

TEST(Expressions, TakesTheWidestRelation) {
  constexpr int kMost = 1600;  // of PostgreSQL
  Texts columns;
  std::string sum = "0";
  Cells cells;
  for (int i = 0; i < kMost; ++i) {
    columns.push_back("c" + std::to_string(i) + ":integer");
    if (i % 4 == 0) sum += " + c" + std::to_string(i);
    cells.emplace_back("1");
  }
  Computing computing(columns, {{"sum", sum}}, {"c1599 + sum", "c7 || c8"});
  EXPECT_THAT(computing.of(cells), ElementsAre("400", "401", "11"));
  cells[7] = unchanged;
  EXPECT_THAT(computing.of(cells), ElementsAre("400", "401", "<unchanged>"));
}

TEST(Expressions, ALongChainOfLetsWorks) {
  testing::Lets lets{{"x0", "a"}};
  for (int i = 1; i < 40; ++i) lets.push_back({"x" + std::to_string(i), "x" + std::to_string(i - 1) + " + 1"});
  EXPECT_EQ(Computing({"a:integer"}, lets, {}).of({"1"}).back(), "40");
}

TEST(Expressions, SubqueriesReadTheJsonOfTheRow) {
  const std::string settings =
      R"([{"Status":"Pending","SendAfter":"2026-01-01T00:00:01Z"},{"Status":"Sent","SendAfter":"2025-01-01T00:00:00Z"},)"
      R"({"Status":"Pending","SendAfter":"2026-01-01T02:00:00+02:00"}])";
  Computing computing(
      {"id:integer:key", "settings:jsonb"},
      {{"soonest",
        "(SELECT min(epoch_ms(value->>'SendAfter')) FROM json_each(settings) "
        "WHERE value->>'Status' = 'Pending')"}},
      {"(SELECT group_concat(key || row.id, ',') FROM json_each(settings))",
       "(WITH all_of_them AS (SELECT value FROM json_each(settings)) SELECT count(*) FROM all_of_them)"});
  EXPECT_THAT(computing.of({"7", settings}), ElementsAre("1767225600000", "07,17,27", "3"));
  EXPECT_THAT(computing.of({"7", "[]"}), ElementsAre("<null>", "<null>", "0"));
  EXPECT_THAT(computing.of({"7", null}), ElementsAre("<null>", "<null>", "0"));
}

TEST(Expressions, LabelsOfJsonAreKeysAsInPostgres) {
  const std::string config =
      R"({"retention.policy": "a", "retention": {"policy": "b"}, "5": "c", "it's": "d", "": "e"})";
  EXPECT_EQ(computed("a->>'retention.policy'", "jsonb", config), "a");
  EXPECT_EQ(computed("a->'retention'->>'policy'", "jsonb", config), "b");
  EXPECT_EQ(computed("a ->> /* a key */ '5'", "jsonb", config), "c");
  EXPECT_EQ(computed("a->>'it''s'", "jsonb", config), "d");
  EXPECT_EQ(computed("a->>'nothing'", "jsonb", config), "<null>");
  EXPECT_EQ(computed("a->'$.\"retention.policy\"'", "jsonb", config), "\"a\"");
  EXPECT_EQ(computed("a->>'$.retention.policy'", "jsonb", config), "b");
  EXPECT_EQ(computed("a->>1", "jsonb", "[1, 2]"), "2");
  EXPECT_EQ(computed("json_extract(a, '$.retention.policy')", "jsonb", config), "b");
}

struct PoisonCase {
  std::string name, text, type;
  Cell value;
  std::string message;
  friend void PrintTo(const PoisonCase& tested, std::ostream* out) { *out << tested.name; }
};
class Poison : public ::testing::TestWithParam<PoisonCase> {};

// The expression between two that work: it alone is named, no value of the row is, and the next row works.
TEST_P(Poison, IsNamedWithoutItsValue) {
  const auto& [name, text, type, value, message] = GetParam();
  Computing computing({"a:" + type}, {{"x", "'b'"}}, {text, "'c'"});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(computing.failure({value}), "the expression \"" + text + "\" cannot be computed: " + message);
    EXPECT_THAT(computing.of({null}), ElementsAre("b", "<null>", "c"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Expressions, Poison,
    ::testing::Values(
        PoisonCase{"json", "a->>'x'", "text", "secret: {", "malformed JSON"},
        PoisonCase{"path", "json_extract('{}', a)", "text", "secret", "bad JSON path"},
        PoisonCase{"overflow", "abs(a)", "bigint", "-9223372036854775808", "integer overflow"},
        PoisonCase{"timestamp", "epoch_us(a)", "text", "secret", "epoch_us() was given a text that is no timestamp"},
        PoisonCase{"clock", "date(a)", "text", "now", "it asks for the current time"},
        PoisonCase{"clock_by_a_detour", "datetime(lower(a), '+1 day')", "text", "NOW", "it asks for the current time"},
        PoisonCase{"size", "nullif(length(zeroblob(a)), 0)", "bigint", "999999999", "a text of it is too long"},
        PoisonCase{"floordiv", "floordiv(a, 2)", "text", "secret", "floordiv() takes integers"},
        PoisonCase{"message_with_value", "CASE WHEN a IS NOT NULL THEN json_object(a, 1) END", "bytea",
                   "\\x736563726574", "json_object() labels must be TEXT"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Expressions, APoisonedLetIsNamedItself) {
  Computing computing({"doc:text"}, {{"name", "doc->>'name'"}}, {"name || '!'"});
  EXPECT_EQ(computing.failure({"{"}), "the expression \"name\" cannot be computed: malformed JSON");
  EXPECT_THAT(computing.of({R"({"name": "x"})"}), ElementsAre("x", "x!"));
}

TEST(Expressions, AQueryThatDoesNotEndIsStopped) {
  std::string list = "[0";
  for (int i = 0; i < 1000; ++i) list += ",0";
  Computing computing({"a:jsonb"}, {}, {"(SELECT count(*) FROM json_each(a), json_each(row.a), json_each(row.a))"});
  EXPECT_THAT(computing.failure({list + "]"}), HasSubstr("it takes too many steps"));
  EXPECT_THAT(computing.of({"[1, 2, 3]"}), ElementsAre("27"));
}

TEST(Expressions, AThreadHasAnEngineOfItsOwn) {
  Texts values;
  std::thread thread([&] { values = meters().of({"1", "MONTH", "13", "{}"}); });
  EXPECT_THAT(meters().of({"1", "MONTH", "13", "{}"}), ElementsAre("6", "2", "month", "1", "<null>"));
  thread.join();
  EXPECT_THAT(values, ElementsAre("6", "2", "month", "1", "<null>"));
}

TEST(Expressions, ManyObjectsLiveBesideEachOther) {
  std::vector<std::unique_ptr<Computing>> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(
        std::make_unique<Computing>(Texts{"a:integer"}, testing::Lets{{"x", "a + " + std::to_string(i)}}, Texts{}));
  }
  for (std::size_t i = 0; i < all.size(); i += 2) all[i].reset();
  for (std::size_t i = 1; i < all.size(); i += 2) EXPECT_EQ(all[i]->of({"1"})[0], std::to_string(i + 1));
}

}  // namespace
}  // namespace walrelay::sinks
