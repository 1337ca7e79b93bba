// What an expression sees of a column, by the column's type, and what becomes of its result.
#include "sinks/expression_values.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include "computing.h"

namespace walrelay::sinks {
namespace {

using testing::computed;
using testing::null;

struct TypeCase {
  std::string name, type, text, storage, result;  // result: of a || ''
  friend void PrintTo(const TypeCase& tested, std::ostream* out) { *out << tested.name; }
};
class ValueOfType : public ::testing::TestWithParam<TypeCase> {};

TEST_P(ValueOfType, HasSqlitesTypeForIt) {
  const auto& [name, type, text, storage, result] = GetParam();
  EXPECT_EQ(computed("typeof(a)", type, text), storage);
  EXPECT_EQ(computed("CASE WHEN 1 THEN a END", type, text), result);
  EXPECT_EQ(computed("a IS NULL", type, null), "1");
}

const char kBig[] = "123456789012345678901234567890.5";
INSTANTIATE_TEST_SUITE_P(
    Expressions, ValueOfType,
    ::testing::Values(
        TypeCase{"true_", "boolean", "t", "integer", "1"}, TypeCase{"false_", "boolean", "f", "integer", "0"},
        TypeCase{"smallint", "smallint", "-32768", "integer", "-32768"},
        TypeCase{"integer", "integer", "42", "integer", "42"},
        TypeCase{"bigint", "bigint", "-9223372036854775808", "integer", "-9223372036854775808"},
        TypeCase{"oid", "oid", "4294967295", "integer", "4294967295"}, TypeCase{"real", "real", "0.1", "real", "0.1"},
        TypeCase{"double_", "double precision", "1e-300", "real", "1e-300"},
        TypeCase{"double_integral", "double precision", "1e+15", "real", "1e+15"},
        TypeCase{"nan", "double precision", "NaN", "text", "NaN"},
        TypeCase{"infinite", "double precision", "-Infinity", "text", "-Infinity"},
        TypeCase{"numeric_integral", "numeric", "9223372036854775807", "integer", "9223372036854775807"},
        TypeCase{"numeric_too_long", "numeric", "9223372036854775809", "text", "9223372036854775809"},
        TypeCase{"numeric_long_but_exact", "numeric", "36893488147419103232", "real", "36893488147419103232"},
        TypeCase{"numeric_exact", "numeric", "-0.10", "real", "-0.1"},
        TypeCase{"numeric_with_scale", "numeric", "5.00", "real", "5"},
        TypeCase{"numeric_seventeen_digits", "numeric", "0.30000000000000004", "real", "0.30000000000000004"},
        TypeCase{"numeric_too_exact", "numeric", "0.30000000000000000001", "text", "0.30000000000000000001"},
        TypeCase{"numeric_whole_with_scale", "numeric", "9007199254740993.00", "integer", "9007199254740993"},
        TypeCase{"numeric_long", "numeric", kBig, "text", kBig},
        TypeCase{"numeric_nan", "numeric", "NaN", "text", "NaN"},
        TypeCase{"numeric_infinite", "numeric", "Infinity", "text", "Infinity"},
        TypeCase{"timestamp", "timestamp without time zone", "2026-02-05 10:00:00.5", "text", "2026-02-05T10:00:00.5"},
        TypeCase{"timestamptz", "timestamp with time zone", "2026-02-05 10:00:00+00", "text", "2026-02-05T10:00:00Z"},
        TypeCase{"other_zone", "timestamp with time zone", "2026-02-05 10:00:00+05:30", "text",
                 "2026-02-05T10:00:00+05:30"},
        TypeCase{"infinity", "timestamp with time zone", "infinity", "text", "infinity"},
        TypeCase{"before_christ", "timestamp with time zone", "0044-03-15 12:00:00+00 BC", "text",
                 "0044-03-15 12:00:00+00 BC"},
        TypeCase{"date", "date", "2026-02-05", "text", "2026-02-05"},
        TypeCase{"time", "time without time zone", "10:00:00", "text", "10:00:00"},
        TypeCase{"json", "jsonb", "{\"a\": 1}", "text", "{\"a\": 1}"},
        TypeCase{"bytea", "bytea", "\\x00ff41", "blob",
                 std::string("\0\xFF"
                             "A",
                             3)},
        TypeCase{"bytea_empty", "bytea", "\\x", "blob", ""},
        TypeCase{"bytea_escape", "bytea", "\\000", "text", "\\000"},
        TypeCase{"array", "integer[]", "{1,2}", "text", "{1,2}"},
        TypeCase{"uuid", "uuid", "00000000-0000-0000-0000-000000000001", "text",
                 "00000000-0000-0000-0000-000000000001"},
        TypeCase{"text", "text", "12", "text", "12"}, TypeCase{"empty", "text", "", "text", ""}),
    [](const auto& tested) { return tested.param.name; });

TEST(ExpressionValues, AnEmptyViewWithoutMemoryIsAText) {
  testing::Computing computing({"a:text"}, {}, {"a IS NULL"});
  const replication::Value value{replication::ValueState::text, {}};
  EXPECT_EQ(computing.expressions.evaluate({&value, 1}, Expressions::Side::now)[1].text, "0");
}

TEST(ExpressionValues, AColumnWithoutATypeIsText) {
  testing::Table table("public.t", {"a:text"});
  table.relation.columns[0].type = nullptr;
  Expressions expressions(table.relation, {}, {});
  expressions.add("typeof(a)");
  expressions.compile();
  EXPECT_EQ(expressions.evaluate(table.row({"1"}), Expressions::Side::now)[1].text, "text");
}

TEST(ExpressionValues, SeveralTextsAreRewrittenSideBySide) {
  testing::Computing computing({"a:timestamp with time zone", "b:bytea", "c:timestamp without time zone"}, {},
                               {"a || ' ' || hex(b) || ' ' || c"});
  for (const std::string& bytes : {std::string("0a0b"), std::string(4000, 'c')}) {
    std::string upper = bytes;
    for (char& byte : upper) byte = static_cast<char>(std::toupper(byte));
    EXPECT_EQ(computing.of({"2026-02-05 10:00:00+00", "\\x" + bytes, "2026-02-05 10:00:00"})[0],
              "2026-02-05T10:00:00Z " + upper + " 2026-02-05T10:00:00");
  }
}

struct ResultCase {
  std::string text, result;
  friend void PrintTo(const ResultCase& tested, std::ostream* out) { *out << tested.text; }
};
class ResultOf : public ::testing::TestWithParam<ResultCase> {};

TEST_P(ResultOf, IsExact) { EXPECT_EQ(computed(GetParam().text), GetParam().result); }

INSTANTIATE_TEST_SUITE_P(
    Expressions, ResultOf,
    ::testing::Values(ResultCase{"-9223372036854775807 - 1", "-9223372036854775808"}, ResultCase{"7 / 2", "3"},
                      ResultCase{"7 / 2.0", "3.5"}, ResultCase{"8 / 2.0", "4"},
                      ResultCase{"0.1 + 0.2", "0.30000000000000004"}, ResultCase{"1e14", "100000000000000"},
                      ResultCase{"-999999999999999.0", "-999999999999999"}, ResultCase{"1e15", "1e+15"},
                      ResultCase{"1e300 * 1e300", "inf"}, ResultCase{"-1e999", "-inf"}, ResultCase{"-0.0", "0"},
                      ResultCase{"1e-7", "1e-07"}, ResultCase{"NULL", "<null>"}, ResultCase{"''", ""},
                      ResultCase{"'a' || char(0) || 'b'", std::string("a\0b", 3)},
                      ResultCase{"x'00ff'", std::string("\0\xFF", 2)}, ResultCase{"x''", ""}, ResultCase{"1 > 0", "1"},
                      ResultCase{"NOT 1", "0"}, ResultCase{"TRUE", "1"}));

TEST(ExpressionValues, DoublesReadBackExactly) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  testing::Computing computing({"a:double precision"}, {}, {"0 + a"});
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t bits = random();
    auto number = std::bit_cast<double>(bits);
    if (i % 2 == 0) number = std::round(std::ldexp(static_cast<double>(bits), -static_cast<int>(bits % 64)));
    if (!std::isfinite(number)) continue;
    char text[32];
    *std::to_chars(text, text + sizeof text, number).ptr = '\0';
    const std::string result = computing.of({text})[0];
    EXPECT_EQ(std::strtod(result.c_str(), nullptr), number) << text << ' ' << result;
    if (std::fabs(number) < 1e15 && std::trunc(number) == number) {
      EXPECT_EQ(result.find_first_of(".e"), std::string::npos) << result;
    }
  }
}

TEST(ExpressionValues, NumericsKeepEveryDigit) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  testing::Computing computing({"a:numeric"}, {}, {"CASE WHEN 1 THEN a END", "typeof(a)"});
  for (int i = 0; i < 3000; ++i) {
    std::string text = std::to_string(1 + random() % 9);
    for (std::uint64_t digits = random() % 25; digits > 0; --digits) text += std::to_string(random() % 10);
    if (i % 2 == 0) text.insert(random() % text.size() + 1, ".");
    if (text.back() == '.') text += std::to_string(1 + random() % 9);
    if (i % 3 == 0) text.insert(0, "-");
    const auto values = computing.of({text});
    if (values[1] != "real") continue;  // else the digits are as they were, or all zeros behind the point
    // The shortest decimal of the double must be the same number: compared as the digits and the place of the point.
    double number = 0;
    std::from_chars(values[0].data(), values[0].data() + values[0].size(), number);
    char fixed[400];
    std::string printed(fixed, std::to_chars(fixed, fixed + sizeof fixed, number, std::chars_format::fixed).ptr);
    std::string expected = text;
    if (expected.find('.') != std::string::npos) {
      expected.erase(expected.find_last_not_of('0') + 1);
      if (expected.back() == '.') expected.pop_back();
    }
    EXPECT_EQ(printed, expected);
  }
}

}  // namespace
}  // namespace walrelay::sinks
