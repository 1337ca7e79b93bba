// The JSON of other programs, value by value.
#include "sinks/json_profile.h"

#include <gtest/gtest.h>

#include "bound.h"
#include "sinks/json_same.h"
#include "sinks/json_value.h"

namespace walrelay::sinks {
namespace {

struct ProfileCase {
  std::string type, text, node_pg, go;
};
class Profiles : public ::testing::TestWithParam<ProfileCase> {};

std::string json_of(const std::string& type, const std::string& text, JsonStyle style) {
  JsonValues values(style);
  std::string out;
  values.append(testing::Table::type(type), text, out);
  return out;
}

TEST_P(Profiles, WriteTheValue) {
  const ProfileCase& tested = GetParam();
  EXPECT_EQ(json_of(tested.type, tested.text, {JsonStyle::Profile::node_pg}), tested.node_pg);
  EXPECT_EQ(json_of(tested.type, tested.text, {JsonStyle::Profile::go}), tested.go);
}

const auto kName = [](const auto& tested) { return "case_" + std::to_string(tested.index); };
constexpr const char *kTs = "timestamp without time zone", *kTz = "timestamp with time zone";

INSTANTIATE_TEST_SUITE_P(
    Numbers, Profiles,
    ::testing::Values(
        ProfileCase{"integer", "-42", "-42", "-42"}, ProfileCase{"smallint", "7", "7", "7"},
        ProfileCase{"bigint", "9007199254740993", "\"9007199254740993\"", "9007199254740993"},
        ProfileCase{"bigint", "-1", "\"-1\"", "-1"}, ProfileCase{"numeric", "1.2500", "\"1.2500\"", "1.2500"},
        ProfileCase{"numeric", "NaN", "\"NaN\"", "\"NaN\""}, ProfileCase{"boolean", "t", "true", "true"},
        ProfileCase{"double precision", "0.1", "0.1", "0.1"}, ProfileCase{"real", "-0", "0", "-0"},
        ProfileCase{"double precision", "1e+300", "1e+300", "1e+300"},
        ProfileCase{"double precision", "1e+20", "100000000000000000000", "1e+20"},
        ProfileCase{"double precision", "1e+21", "1e+21", "1e+21"},
        ProfileCase{"double precision", "123456789012345680000", "123456789012345680000", "123456789012345680000"},
        ProfileCase{"double precision", "1e-06", "0.000001", "1e-06"},
        ProfileCase{"double precision", "1.5e-07", "1.5e-7", "1.5e-07"},
        ProfileCase{"double precision", "-2.5", "-2.5", "-2.5"}, ProfileCase{"double precision", "100", "100", "100"},
        ProfileCase{"double precision", "Infinity", "null", "\"Infinity\""},
        ProfileCase{"double precision", "NaN", "null", "\"NaN\""}, ProfileCase{"integer", "4x", "\"4x\"", "\"4x\""},
        ProfileCase{"bigint[]", "{1,NULL}", "[\"1\",null]", "[1,null]"},
        ProfileCase{"numeric[]", "{1.50,NaN}", "[1.5,null]", "[1.50,\"NaN\"]"},
        ProfileCase{"integer[]", "{1,2}", "[1,2]", "[1,2]"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Times, Profiles,
    ::testing::Values(
        ProfileCase{kTz, "2026-01-01 00:00:00+00", "\"2026-01-01T00:00:00.000Z\"", "\"2026-01-01T00:00:00Z\""},
        ProfileCase{kTz, "2026-02-05 10:00:00.5+05:30", "\"2026-02-05T04:30:00.500Z\"", "\"2026-02-05T04:30:00.5Z\""},
        ProfileCase{kTz, "2026-02-05 10:00:00.123987+00", "\"2026-02-05T10:00:00.123Z\"",
                    "\"2026-02-05T10:00:00.123987Z\""},
        ProfileCase{kTs, "2026-02-05 10:00:00", "\"2026-02-05T10:00:00.000Z\"", "\"2026-02-05T10:00:00Z\""},
        ProfileCase{kTs, "1969-12-31 23:59:59.9999", "\"1969-12-31T23:59:59.999Z\"", "\"1969-12-31T23:59:59.9999Z\""},
        ProfileCase{"date", "2026-02-28", "\"2026-02-28T00:00:00.000Z\"", "\"2026-02-28\""},
        ProfileCase{kTz, "infinity", "null", "\"infinity\""}, ProfileCase{"date", "-infinity", "null", "\"-infinity\""},
        ProfileCase{kTs, "0044-03-15 12:00:00 BC", "\"-000043-03-15T12:00:00.000Z\"", "\"0044-03-15 12:00:00 BC\""},
        ProfileCase{kTs, "12026-02-05 10:00:00", "\"+012026-02-05T10:00:00.000Z\"", "\"12026-02-05T10:00:00\""},
        ProfileCase{kTs, "294276-01-01 00:00:00", "null", "\"294276-01-01T00:00:00\""},  // beyond a Date
        ProfileCase{kTs, "soon", "\"soon\"", "\"soon\""},
        ProfileCase{"time without time zone", "03:04:05", "\"03:04:05\"", "\"03:04:05\""},
        ProfileCase{"timestamp with time zone[]", R"~({"2024-01-02 03:04:05+00"})~",
                    R"~(["2024-01-02T03:04:05.000Z"])~", R"~(["2024-01-02T03:04:05Z"])~"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Others, Profiles,
    ::testing::Values(ProfileCase{"bytea", "\\x00ff10", R"({"type":"Buffer","data":[0,255,16]})", "\"AP8Q\""},
                      ProfileCase{"bytea", "\\x", R"({"type":"Buffer","data":[]})", "\"\""},
                      ProfileCase{"bytea", "no hex", "\"no hex\"", "\"no hex\""},
                      ProfileCase{"jsonb", R"({"a": [1, null]})", R"({"a": [1, null]})", R"({"a": [1, null]})"},
                      ProfileCase{"text", "a\"b", R"("a\"b")", R"("a\"b")"}, ProfileCase{"uuid", "u", "\"u\"", "\"u\""},
                      ProfileCase{"interval", "1 day", "\"1 day\"", "\"1 day\""},
                      ProfileCase{"text[]", "{a,NULL}", R"(["a",null])", R"(["a",null])"}),
    kName);

TEST(JsonProfile, NodeKnowsNoCompositesAndNoEnumerations) {
  replication::ColumnType pair, pairs, mood, moods;
  pair.kind = replication::TypeKind::composite;
  pair.fields = {{"x", testing::Table::type("integer")}};
  pairs.kind = moods.kind = replication::TypeKind::array;
  pairs.element = &pair;
  mood.kind = replication::TypeKind::enumeration;
  moods.element = &mood;
  const auto json = [](const replication::ColumnType& type, const std::string& text) {
    std::string out;
    JsonValues({JsonStyle::Profile::node_pg}).append(&type, text, out);
    return out;
  };
  EXPECT_EQ(json(pair, "(1)"), "\"(1)\"");
  EXPECT_EQ(json(pairs, "{(1)}"), "\"{(1)}\"");
  EXPECT_EQ(json(moods, "{so}"), "\"{so}\"");
}

TEST(JsonProfile, TheMappingMaySayHowBytesAreWritten) {
  using Profile = JsonStyle::Profile;
  using Bytea = JsonStyle::Bytea;
  EXPECT_EQ(json_of("bytea", "\\x00ff", {Profile::plain, Bytea::hex}), "\"\\\\x00ff\"");
  EXPECT_EQ(json_of("bytea", "\\x00ff", {Profile::plain, Bytea::base64}), "\"AP8=\"");
  EXPECT_EQ(json_of("bytea", "\\x00ff", {Profile::node_pg, Bytea::base64}), "\"AP8=\"");
  EXPECT_EQ(json_of("bytea[]", R"~({"\\x00ff"})~", {Profile::node_pg}), R"([{"type":"Buffer","data":[0,255]}])");
}

struct SameCase {
  std::string left, right;
  bool same;
};
class SameJson : public ::testing::TestWithParam<SameCase> {};

TEST_P(SameJson, IsTold) {
  EXPECT_EQ(same_json(GetParam().left, GetParam().right), GetParam().same);
  EXPECT_EQ(same_json(GetParam().right, GetParam().left), GetParam().same);
}

INSTANTIATE_TEST_SUITE_P(
    Json, SameJson,
    ::testing::Values(SameCase{R"({"a": [1, 2], "b":null})", R"({"b":null,"a":[1,2]})", true},
                      SameCase{R"({"a":1})", R"({"a":2})", false}, SameCase{R"({"a":1})", R"({"a":"1"})", false},
                      SameCase{"1.50", "1.5", true}, SameCase{"1.0", "1", true}, SameCase{"1e2", "100.0", true},
                      SameCase{"9007199254740993", "9007199254740992", false},
                      SameCase{"0.1", "0.10000000000000001", true}, SameCase{"\"\\u00e4\\/\"", "\"\xC3\xA4/\"", true},
                      SameCase{"\"a\"", "\"b\"", false}, SameCase{"[1,2]", "[2,1]", false},
                      SameCase{"[1,[2]]", "[1,2]", false}, SameCase{R"({"a":1,"a":2})", R"({"a":2})", true},
                      SameCase{R"({"a":1,"b":1})", R"({"a":1})", false}, SameCase{"null", "0", false},
                      SameCase{"true", "false", false}, SameCase{"{}", "[]", false}, SameCase{"[1", "[1]", false},
                      SameCase{R"({"\u0061":1})", R"({"a":1})", true},
                      SameCase{R"({"\ud83d":1})", R"({"\ufffd":1})", false}, SameCase{"x", "y", false},
                      SameCase{"1],[2", "1", false}, SameCase{"1e400", "1e500", true}),
    kName);

}  // namespace
}  // namespace walrelay::sinks
