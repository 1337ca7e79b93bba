#include "sinks/json_value.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

#include "sinks/json_row.h"
#include "tables.h"

namespace walrelay::sinks {
namespace {

using replication::ColumnType;
using replication::TypeKind;
using testing::Table;

ColumnType composite(std::string name, std::vector<ColumnType::Field> fields) {
  ColumnType type;
  type.kind = TypeKind::composite;
  type.name = std::move(name);
  type.fields = std::move(fields);
  return type;
}

ColumnType array_of(const ColumnType* element, char delimiter = ',') {
  ColumnType type;
  type.kind = TypeKind::array;
  type.name = element->name + "[]";
  type.element = element;
  type.delimiter = delimiter;
  return type;
}

// The types that the cases name, besides the built-in ones.
const ColumnType* type_of(const std::string& name) {
  static const ColumnType point = composite(
      "point3", {{"x", Table::type("integer")}, {"label", Table::type("text")}, {"exact", Table::type("numeric")}});
  static const ColumnType points = array_of(&point);
  static const ColumnType nested = composite("nested", {{"p", &point},
                                                        {"all", &points},
                                                        {"doc", Table::type("jsonb")},
                                                        {"when", Table::type("timestamp with time zone")}});
  static const ColumnType empty = composite("empty", {});
  static const ColumnType one = composite("one", {{"only", Table::type("text")}});
  static const ColumnType boxes = array_of(Table::type("box"), ';');
  static const ColumnType no_element = [] {
    ColumnType type;
    type.kind = TypeKind::array;
    return type;
  }();
  for (const ColumnType* type : {&point, &points, &nested, &empty, &one, &boxes}) {
    if (type->name == name) return type;
  }
  if (name == "unknown[]") return &no_element;
  return name == "unknown" ? nullptr : Table::type(name);
}

struct ValueCase {
  std::string type, text, json;
};
class Values : public ::testing::TestWithParam<ValueCase> {};

TEST_P(Values, BecomeJson) {
  JsonValues values;
  for (int again = 0; again < 2; ++again) {
    std::string out;
    values.append(type_of(GetParam().type), GetParam().text, out);
    EXPECT_EQ(out, GetParam().json);
  }
  simdjson::dom::parser parser;
  const std::string json = GetParam().json;
  const auto error = parser.parse("[" + json + "]").error();
  EXPECT_TRUE(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR) << json;
}

const auto kName = [](const auto& tested) { return "case_" + std::to_string(tested.index); };

INSTANTIATE_TEST_SUITE_P(
    Scalars, Values,
    ::testing::Values(
        ValueCase{"boolean", "t", "true"}, ValueCase{"boolean", "f", "false"}, ValueCase{"boolean", "x", "\"x\""},
        ValueCase{"integer", "-42", "-42"}, ValueCase{"bigint", "9223372036854775807", "9223372036854775807"},
        ValueCase{"numeric", "1.2500", "1.2500"}, ValueCase{"numeric", "NaN", "\"NaN\""},
        ValueCase{"numeric", "-Infinity", "\"-Infinity\""},
        ValueCase{"numeric", "123456789012345678901234567890.5", "123456789012345678901234567890.5"},
        ValueCase{"double precision", "1e+300", "1e+300"}, ValueCase{"real", "-0", "-0"},
        ValueCase{"double precision", "Infinity", "\"Infinity\""}, ValueCase{"integer", "4x", "\"4x\""},
        ValueCase{"text", "a\"b", "\"a\\\"b\""}, ValueCase{"text", "", "\"\""}, ValueCase{"text", "null", "\"null\""},
        ValueCase{"text", "12", "\"12\""}, ValueCase{"unknown", "caf\xE9", "\"caf\xEF\xBF\xBD\""},
        ValueCase{"uuid", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "\"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\""},
        ValueCase{"money", "$1.00", "\"$1.00\""}, ValueCase{"interval", "1 day 02:00:00", "\"1 day 02:00:00\""},
        ValueCase{"bytea", "\\x00ff", "\"AP8=\""}, ValueCase{"bytea", "\\x", "\"\""},
        ValueCase{"bytea", "\\001", "\"\\\\001\""},
        ValueCase{"json", "{\"a\" : 1e400,\"a\":[ ]}", "{\"a\" : 1e400,\"a\":[ ]}"},
        ValueCase{"jsonb", "18446744073709551616", "18446744073709551616"}, ValueCase{"jsonb", "null", "null"},
        ValueCase{"json", "{broken", "\"{broken\""}, ValueCase{"json", "1],[2", "\"1],[2\""},
        ValueCase{"date", "2024-01-02", "\"2024-01-02\""}, ValueCase{"date", "infinity", "\"infinity\""},
        ValueCase{"time without time zone", "03:04:05", "\"03:04:05\""}),
    kName);

constexpr const char *kTs = "timestamp without time zone", *kTz = "timestamp with time zone";
INSTANTIATE_TEST_SUITE_P(
    Timestamps, Values,
    ::testing::Values(ValueCase{kTs, "2024-01-02 03:04:05.678", "\"2024-01-02T03:04:05.678\""},
                      ValueCase{kTs, "294276-12-31 23:59:59.999999", "\"294276-12-31T23:59:59.999999\""},
                      ValueCase{kTs, "infinity", "\"infinity\""}, ValueCase{kTs, "-infinity", "\"-infinity\""},
                      ValueCase{kTs, "0044-03-15 00:00:00 BC", "\"0044-03-15 00:00:00 BC\""},
                      ValueCase{kTs, "", "\"\""}, ValueCase{kTs, " ", "\" \""},
                      ValueCase{kTs, "2024-01-02 \"", "\"2024-01-02T\\\"\""},
                      ValueCase{kTz, "2024-01-02 03:04:05+00", "\"2024-01-02T03:04:05Z\""},
                      ValueCase{kTz, "2024-01-02 03:04:05.5+00", "\"2024-01-02T03:04:05.5Z\""},
                      ValueCase{kTz, "2024-01-02 03:04:05+05:30", "\"2024-01-02T03:04:05+05:30\""},
                      ValueCase{kTz, "0044-03-15 00:00:00+00 BC", "\"0044-03-15 00:00:00+00 BC\""},
                      ValueCase{kTz, "infinity", "\"infinity\""}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Arrays, Values,
    ::testing::Values(
        ValueCase{"integer[]", "{1,2,NULL}", "[1,2,null]"}, ValueCase{"integer[]", "{}", "[]"},
        ValueCase{"integer[]", "{{1,2},{3,NULL}}", "[[1,2],[3,null]]"}, ValueCase{"integer[]", "[0:1]={7,8}", "[7,8]"},
        ValueCase{"integer[]", "[-1:0][2:2]={{7},{8}}", "[[7],[8]]"},
        ValueCase{"text[]", R"~({a,"b c","","NULL",NULL,null})~", R"~(["a","b c","","NULL",null,null])~"},
        ValueCase{"text[]", R"~({"a\"b","c\\d","{e}","f,g"})~", R"~(["a\"b","c\\d","{e}","f,g"])~"},
        ValueCase{"boolean[]", "{t,f}", "[true,false]"}, ValueCase{"numeric[]", "{NaN,1.50}", "[\"NaN\",1.50]"},
        ValueCase{"jsonb[]", R"~({"{\"a\": [1, \"x\"]}",NULL,"null"})~", R"~([{"a": [1, "x"]},null,null])~"},
        ValueCase{"bytea[]", R"~({"\\x00ff"})~", R"~(["AP8="])~"},
        ValueCase{"timestamp with time zone[]", R"~({"2024-01-02 03:04:05+00"})~", R"~(["2024-01-02T03:04:05Z"])~"},
        ValueCase{"box[]", "{(1,1),(0,0);(2,2),(0,0)}", R"~(["(1,1),(0,0)","(2,2),(0,0)"])~"},
        ValueCase{"unknown[]", "{1,a}", R"~(["1","a"])~"},
        // what is no array stays a string
        ValueCase{"integer[]", "", "\"\""}, ValueCase{"integer[]", "{", "\"{\""},
        ValueCase{"integer[]", "{1", "\"{1\""}, ValueCase{"integer[]", "{1,}", "\"{1,}\""},
        ValueCase{"integer[]", "{,1}", "\"{,1}\""}, ValueCase{"integer[]", "{1}x", "\"{1}x\""},
        ValueCase{"integer[]", "1,2", "\"1,2\""}, ValueCase{"text[]", "{\"a}", "\"{\\\"a}\""},
        ValueCase{"text[]", "{a\\", "\"{a\\\\\""}, ValueCase{"integer[]", "[0:1={1}", "\"[0:1={1}\""},
        ValueCase{"integer[]", "[x]={1}", "\"[x]={1}\""}, ValueCase{"integer[]", "[0:0]", "\"[0:0]\""},
        ValueCase{"integer[]", "{{{{{{{1}}}}}}}", "\"{{{{{{{1}}}}}}}\""},
        ValueCase{"integer[]", "{1{2}}", "\"{1{2}}\""}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    Composites, Values,
    ::testing::Values(
        ValueCase{"point3", "(1,a,1.50)", R"~({"x":1,"label":"a","exact":1.50})~"},
        ValueCase{"point3", "(,,)", R"~({"x":null,"label":null,"exact":null})~"},
        ValueCase{"point3", R"~((1,"b c",))~", R"~({"x":1,"label":"b c","exact":null})~"},
        ValueCase{"point3", R"~((1,"",2))~", R"~({"x":1,"label":"","exact":2})~"},
        ValueCase{"point3", R"~((1,"a""b\\c,)",2))~", R"~({"x":1,"label":"a\"b\\c,)","exact":2})~"},
        ValueCase{"point3[]", R"~({"(1,\"a b\",2)",NULL})~", R"~([{"x":1,"label":"a b","exact":2},null])~"},
        ValueCase{
            "nested", R"~(("(1,""a,b"",2)","{""(1,c,3)"",NULL}","{""k"": ""v""}","2024-01-02 03:04:05+00"))~",
            R"~({"p":{"x":1,"label":"a,b","exact":2},"all":[{"x":1,"label":"c","exact":3},null],"doc":{"k": "v"},)~"
            R"~("when":"2024-01-02T03:04:05Z"})~"},
        ValueCase{"empty", "()", "{}"}, ValueCase{"one", "()", R"~({"only":null})~"},
        // what does not fit the type stays a string
        ValueCase{"point3", "", "\"\""}, ValueCase{"point3", "(1,2)", "\"(1,2)\""},
        ValueCase{"point3", "(1,2,3,4)", "\"(1,2,3,4)\""}, ValueCase{"point3", "(1,2,3", "\"(1,2,3\""},
        ValueCase{"point3", "(1,2,3)x", "\"(1,2,3)x\""}, ValueCase{"point3", "(1,\"2,3)", "\"(1,\\\"2,3)\""}),
    kName);

TEST(JsonValues, AnyTextOfAnyTypeGivesValidJson) {
  const std::vector<std::string> types{"integer[]", "text[]", "jsonb[]", "point3", "point3[]", "nested",
                                       "box[]",     "json",   "bytea",   kTs,      kTz,        "numeric"};
  const std::string letters = "{}(),;\"\\NULnul0129ab[]:= -+\xE9\xC3\xA4tf";
  const std::vector<std::string> seeds{R"~({a,"b\"c",NULL})~", R"~((1,"a""b",2))~", R"~({"(1,\"x y\",2)"})~",
                                       "[0:1]={1,2}",          R"~({"a":[1]})~",    "2024-01-02 03:04:05+00"};
  JsonValues values;
  JsonValidator validator;
  for (std::uint32_t seed = 1; seed <= 40'000; ++seed) {
    std::mt19937 random(seed);
    std::string text = seeds[random() % seeds.size()];
    for (auto changes = random() % 6; changes > 0; --changes) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0 && at < text.size()) {
        text.erase(at, 1);
      } else {
        text.insert(at, 1, letters[random() % letters.size()]);
      }
    }
    const std::string& type = types[random() % types.size()];
    std::string json;
    values.append(type_of(type), text, json);
    ASSERT_TRUE(validator.valid(json)) << "seed " << seed << " " << type << " " << text << " -> " << json;
  }
}

TEST(JsonRow, WritesTheChosenColumns) {
  Table table("public.t", {"id:integer:key", "name \"x\":text", "doc:jsonb", "big:text"});
  JsonRow row(
      {{0, "id", Table::type("integer")}, {2, "doc", Table::type("jsonb")}, {1, "na\"me", Table::type("text")}});
  EXPECT_TRUE(row.complete(table.row({"1", "a", "{}", testing::unchanged})));
  EXPECT_FALSE(row.complete(table.row({"1", "a", testing::unchanged, "x"})));
  std::string out;
  row.append(table.row({"1", testing::null, "{\"a\": 1}", testing::unchanged}), out);
  EXPECT_EQ(out, R"~({"id":1,"doc":{"a": 1},"na\"me":null})~");
}

}  // namespace
}  // namespace walrelay::sinks
