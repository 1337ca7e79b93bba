// What is refused before any row is seen, and in which words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "computing.h"

namespace walrelay::sinks {
namespace {

using testing::Computing;
using ::testing::HasSubstr;
using testing::Lets;

const std::vector<std::string> kColumns{"id:integer:key", "is_leased:boolean", "settings:jsonb", "name:text"};

std::string refusal(const std::string& text, const Lets& lets = {}, const Captures& captures = {}) {
  try {
    Computing computing(kColumns, lets, {text}, captures);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

struct RefusalCase {
  std::string text, clause;
  friend void PrintTo(const RefusalCase& tested, std::ostream* out) { *out << tested.text; }
};
class Refusal : public ::testing::TestWithParam<RefusalCase> {};

TEST_P(Refusal, SaysWhatIsWrong) {
  EXPECT_THAT(refusal(GetParam().text), HasSubstr("\"" + GetParam().text + "\": "));
  EXPECT_THAT(refusal(GetParam().text), HasSubstr(GetParam().clause));
  EXPECT_THAT(refusal("id", {{"x", GetParam().text}}), HasSubstr("let \"x\": "));
}

INSTANTIATE_TEST_SUITE_P(
    OneExpression, Refusal,
    ::testing::Values(RefusalCase{"", "the expression is empty"}, RefusalCase{"/* nothing */ -- at all", "is empty"},
                      RefusalCase{"1) UNION SELECT (2", "')' closes nothing (character 2)"},
                      RefusalCase{"(1", "the parenthesis is never closed (character 1)"},
                      RefusalCase{"1; DROP TABLE t", "an expression is one, without ';' (character 2)"},
                      RefusalCase{"id, name", "an expression is one value; ',' begins another (character 3)"},
                      RefusalCase{"(id, name)", "row value misused"}, RefusalCase{"id AS other", "near \"AS\""},
                      RefusalCase{"id FROM t", "near \"FROM\""}, RefusalCase{"SELECT 1", "a query needs parentheses"},
                      RefusalCase{"values(1)", "a query needs parentheses"},
                      RefusalCase{"WITH t AS (SELECT 1) SELECT 1", "a query needs parentheses"},
                      RefusalCase{"id +", "the expression ends too early"}, RefusalCase{"NOT", "ends too early"},
                      RefusalCase{"id = 'a", "the quote is never closed (character 6)"},
                      RefusalCase{"\"id", "the quote is never closed (character 1)"},
                      RefusalCase{"[id", "the '[' is never closed"},
                      RefusalCase{"1 /* x", "the comment is never closed"},
                      RefusalCase{"1 /*", "the comment is never closed"}, RefusalCase{"1 /*/", "the comment is never"},
                      RefusalCase{"id ** 2", "near \"*\""}, RefusalCase{"id + ?1", "begins a parameter"},
                      RefusalCase{"id = :name", "begins a parameter"}, RefusalCase{"@a", "begins a parameter"},
                      RefusalCase{"$a::b(c)", "begins a parameter"}, RefusalCase{"#1", "begins a parameter"}));

INSTANTIATE_TEST_SUITE_P(
    Names, Refusal,
    ::testing::Values(RefusalCase{"NOT is_lesed", "there is no column \"is_lesed\"; did you mean \"is_leased\"?"},
                      RefusalCase{"row.nmae", "there is no column \"nmae\"; did you mean \"name\"?"},
                      RefusalCase{"name = \"Ann\"", "there is no column \"Ann\"; a text stands in single quotes"},
                      RefusalCase{"rowid", "there is no column \"rowid\""},
                      RefusalCase{"oid", "there is no column \"oid\""},
                      RefusalCase{"other.id", "there is no column \"other.id\""},
                      RefusalCase{"lowr(name)", "there is no function \"lowr\"; did you mean \"lower\"?"},
                      RefusalCase{"floor_div(id, 2)", "did you mean \"floordiv\"?"},
                      RefusalCase{"lower(name, name)", "wrong number of arguments to function lower()"},
                      RefusalCase{"floordiv(1)", "wrong number of arguments"},
                      RefusalCase{"name COLLATE german = 'a'", "no such collation sequence: german"}));

INSTANTIATE_TEST_SUITE_P(
    Clocks, Refusal,
    ::testing::Values(RefusalCase{"CURRENT_TIMESTAMP", "current_timestamp reads the clock"},
                      RefusalCase{"name < current_date", "current_date reads the clock"},
                      RefusalCase{"CURRENT_TIME", "current_time reads the clock"},
                      RefusalCase{"date('now')", "date() of 'now' reads the clock"},
                      RefusalCase{"unixepoch ( /* x */ 'NOW', '-1 day')", "unixepoch() of 'now' reads the clock"},
                      RefusalCase{"\"datetime\"('now')", "reads the clock"},
                      RefusalCase{"strftime('%s', 'now')", "strftime() of 'now' reads the clock"},
                      RefusalCase{"strftime('%s')", "strftime() without a time reads the clock"},
                      RefusalCase{"julianday()", "julianday() without a time reads the clock"},
                      RefusalCase{"lower(time())", "time() without a time reads the clock"},
                      RefusalCase{"datetime(name, 'localtime')", "'localtime' depends on the machine's time zone"},
                      RefusalCase{"random()", "random() may not be used; the same row must give the same value"},
                      RefusalCase{"hex(randomblob(4))", "randomblob() may not be used"},
                      RefusalCase{"changes()", "changes() may not be used"},
                      RefusalCase{"total_changes()", "total_changes() may not be used"},
                      RefusalCase{"last_insert_rowid()", "last_insert_rowid() may not be used"},
                      RefusalCase{"load_extension('x')", "load_extension() may not be used"},
                      RefusalCase{"sqlite_log(1, name)", "sqlite_log() may not be used"}));

INSTANTIATE_TEST_SUITE_P(
    Aggregates, Refusal,
    ::testing::Values(RefusalCase{"max(id)", "max() is an aggregate, and an expression sees one row"},
                      RefusalCase{"count(*) + 1", "count() is an aggregate"},
                      RefusalCase{"group_concat(name)", "group_concat() is an aggregate"},
                      RefusalCase{"sum(id) > 3", "sum() is an aggregate"},
                      RefusalCase{"(SELECT min(row.id) FROM json_each(settings))", "min() is an aggregate"},
                      RefusalCase{"row_number() OVER ()", "row_number() is a window function"}));

INSTANTIATE_TEST_SUITE_P(
    Tables, Refusal,
    ::testing::Values(RefusalCase{"(SELECT 1 FROM users)",
                                  "there is no table \"users\" here; a subquery may only read"},
                      RefusalCase{"EXISTS (SELECT 1 FROM sqlite_master)", "there is no table \"sqlite_master\" here"},
                      RefusalCase{"(SELECT sql FROM sqlite_schema)", "there is no table \"sqlite_master\" here"},
                      RefusalCase{"(SELECT count(*) FROM sqlite_temp_master)", "there is no table"},
                      RefusalCase{"(SELECT count(*) FROM pragma_function_list)", "a subquery may only read"},
                      RefusalCase{"(SELECT name FROM pragma_database_list)", "a subquery may only read"},
                      RefusalCase{"(SELECT count(*) FROM sqlite_stmt)", "there is no table"},
                      RefusalCase{"(SELECT count(*) FROM dbstat)", "there is no table"},
                      RefusalCase{"(SELECT count(*) FROM \"the row\")", "no such table"},
                      RefusalCase{"(SELECT count(*) FROM \"let 0\")", "there is no table"},
                      RefusalCase{"(SELECT count(*) FROM row)", "there is no table \"row\" here"},
                      RefusalCase{"(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT n FROM t)",
                                  "a recursive query may never end"},
                      RefusalCase{"(DELETE FROM t)", "near \"DELETE\""}, RefusalCase{"RAISE(ABORT, 'x')", "RAISE()"}));

TEST(ExpressionRefusals, AcceptsWhatOnlyLooksLikeIt) {
  for (const std::string text :
       {"')' || ';'", "\"name\" || '?1 now'", "1 -- ) ;", "1 /* ) ; ' */ + 2", "'CURRENT_TIMESTAMP'", "date(name)",
        "CASE WHEN name = 'now' THEN date(name, '+1 day') END", "max(id, 2)", "name || '$a'", "((SELECT 1))", "-1",
        "strftime('%s', name)", "(SELECT max(value) FROM json_each(settings))", "sqlite_version()", "x'3b'",
        "(SELECT row_number() OVER () FROM json_each(settings))", "id IN (1, 2)", "name LIKE '%;%' ESCAPE '!'"}) {
    EXPECT_EQ(refusal(text), "accepted") << text;
  }
}

TEST(ExpressionRefusals, LetsHaveDifferentNames) {
  EXPECT_EQ(refusal("id", {{"x", "1"}, {"X", "2"}}), "let \"X\": there is a let \"x\" already; choose another name");
  EXPECT_EQ(refusal("id", {{"Queue", "1"}}, {{"queue", "q"}}),
            "let \"Queue\": there is a capture \"queue\" already; choose another name");
}

TEST(ExpressionRefusals, ALetDoesNotSeeThoseBehindIt) {
  EXPECT_EQ(refusal("id", {{"x", "Y + 1"}, {"y", "2"}}),
            "let \"x\": the let \"Y\" is not known yet; a let may use those before it");
  EXPECT_THAT(refusal("id", {{"x", "x + 1"}}), HasSubstr("the let \"x\" is not known yet"));
  EXPECT_EQ(refusal("yy + 1", {{"y", "2"}}), "\"yy + 1\": there is no column \"yy\"; did you mean \"y\"?");
}

TEST(ExpressionRefusals, LetsThatDoubleEachOtherEndSomewhere) {
  Lets lets{{"x0", "id"}};
  for (int i = 1; i < 40; ++i) {
    const std::string before = "x" + std::to_string(i - 1);
    lets.push_back({"x" + std::to_string(i), before + " + " + before});
  }
  EXPECT_THAT(refusal("id", lets), HasSubstr("10000 are the most"));
}

TEST(ExpressionRefusals, ARefusalLeavesTheObjectAsItWas) {
  testing::Table table("public.t", kColumns);
  Expressions expressions(table.relation, {}, {{"x", "id + 1"}});
  for (const std::string text : {"nothing", "random()", "(SELECT count(*) FROM \"the row\")", "max(id)"}) {
    EXPECT_THROW(expressions.add(text), std::invalid_argument);
  }
  EXPECT_EQ(expressions.add("x + 1"), 5U);
  expressions.compile();
  EXPECT_THROW(expressions.add("x + 2"), std::logic_error);
  EXPECT_EQ(expressions.evaluate(table.row({"1", "t", "{}", "a"}), Expressions::Side::now)[5].text, "3");
}

}  // namespace
}  // namespace walrelay::sinks
