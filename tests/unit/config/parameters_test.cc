// The shapes of parameters that have no test file of their own: every form that is taken, each mistake with its place.
#include "config/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using testing::load;
using testing::mistakes;
using ::testing::Pair;

// The parameter begins in line 4, column 26.
std::string with(const std::string& parameter) {
  return "source: {url: postgres://h/d}\nmappings:\n- table: t\n  write: {zset: {key: k, " + parameter + "}}\n";
}

Parameter parameter(const std::string& name, const std::string& value, const testing::Variables& variables = {}) {
  return load(with(name + ": " + value), variables).mappings.at(0).writes.at(0).parameters.at(name);
}

TEST(Parameters, ChoicesAreOneOrAList) {
  EXPECT_THAT(parameter("on", "insert").include, ElementsAre("insert"));
  EXPECT_THAT(parameter("on", "[delete, insert]").include, ElementsAre("delete", "insert"));
  EXPECT_THAT(parameter("on", "[\"${ON}\"]", {{"ON", "all"}}).include, ElementsAre("all"));
  EXPECT_EQ(parameter("on", "all").shape, Shape::choices);
}

TEST(Parameters, NumbersAreWholeAndNotNegative) {
  EXPECT_EQ(parameter("maxlen", "0").number, 0U);
  EXPECT_EQ(parameter("maxlen", "1000000").number, 1000000U);
  EXPECT_EQ(parameter("maxlen", "9223372036854775807").number, 9223372036854775807U);
  EXPECT_EQ(parameter("maxlen", "\"${N}\"", {{"N", "7"}}).number, 7U);
}

TEST(Parameters, ExpressionsAreAnyText) {
  EXPECT_EQ(parameter("score", "0").text, "0");
  EXPECT_EQ(parameter("score", "-1.50").text, "-1.50");
  EXPECT_EQ(parameter("score", "true").text, "true");
  EXPECT_EQ(parameter("score", "\"config->>'$$.a' || '{x}'\"").text, "config->>'$.a' || '{x}'");
  EXPECT_EQ(
      load("source: {url: postgres://h/d}\nmappings:\n- table: t\n  write:\n    zset:\n      key: k\n      score: "
           "|\n        CASE WHEN a\n        THEN 1 END\n")
          .mappings.at(0)
          .writes.at(0)
          .parameters.at("score")
          .text,
      "CASE WHEN a\nTHEN 1 END\n");
}

TEST(Parameters, Explode) {
  const Explode all =
      parameter("explode", "{column: settings, field: key, value: \"value->>'V'\", where: \"type <> 'null'\"}").explode;
  EXPECT_EQ(all.column, "settings");
  EXPECT_EQ(all.field, "key");
  EXPECT_EQ(all.value, "value->>'V'");
  EXPECT_EQ(all.where, "type <> 'null'");
  EXPECT_EQ(parameter("explode", "{column: c, field: key, value: value}").explode.where, "");
}

TEST(Parameters, Tables) {
  EXPECT_THAT(parameter("tables", "{orders: customer_id, s.items: \"SELECT id FROM o WHERE i = $$1\"}").rename,
              ElementsAre(Pair("orders", "customer_id"), Pair("s.items", "SELECT id FROM o WHERE i = $1")));
}

TEST(Parameters, Mistakes) {
  const std::string choices = " is not allowed; write all, insert or delete";
  struct Row {
    std::string parameter;
    std::vector<std::string> mistakes;  // with their columns
  };
  for (const Row& row : {
           Row{"on: always", {"30: zset.on: \"always\"" + choices}},
           Row{"on: []", {"30: zset.on: the list is empty; write all, insert or delete"}},
           Row{"on: ", {"30: \"zset.on\" has no value; give one, or remove the key"}},
           Row{"on: {all: 1}",
               {"30: \"zset.on\" must be a single value, not a map; put a text that begins with \"{\" in quotes"}},
           Row{"on: [insert, updat, [delete], insert, '']",
               {"39: zset.on: \"updat\"" + choices, "46: \"zset.on\" must be a single value, not a list",
                "56: zset.on: \"insert\" stands twice in the list", "64: zset.on: \"\"" + choices}},
           Row{"maxlen: -1", {"34: zset.maxlen: \"-1\" is less than 0"}},
           Row{"maxlen: 1k", {"34: zset.maxlen: \"1k\" is no whole number"}},
           Row{"maxlen: 1.0", {"34: zset.maxlen: \"1.0\" is no whole number"}},
           Row{"maxlen: 9223372036854775808", {"34: zset.maxlen: \"9223372036854775808\" is no whole number"}},
           Row{"maxlen: [1]", {"34: \"zset.maxlen\" must be a single value, not a list"}},
           Row{"score: ''", {"33: zset.score: must not be empty"}},
           Row{"score: \" \\n\\t\"", {"33: zset.score: must not be empty"}},
           Row{"score: ", {"33: \"zset.score\" has no value; give one, or remove the key"}},
           Row{"score: [1]", {"33: \"zset.score\" must be a single value, not a list"}},
           Row{"explode: settings",
               {"35: zset.explode: must be a map with \"column\", \"field\" and \"value\", not a text"}},
           Row{"explode: {}",
               {"35: zset.explode: needs \"column\"", "35: zset.explode: needs \"field\"",
                "35: zset.explode: needs \"value\""}},
           Row{"explode: {column: c, feild: key, value: value}",
               {"35: zset.explode: needs \"field\"",
                "47: zset.explode: unknown key \"feild\"; did you mean \"field\"?"}},
           Row{"explode: {column: '', field: '', value: [v], where: }",
               {"44: zset.explode.column: must not be empty", "55: zset.explode.field: must not be empty",
                "66: \"zset.explode.value\" must be a single value, not a list",
                "78: \"zset.explode.where\" has no value; give one, or remove the key"}},
           Row{"tables: [orders]", {"34: zset.tables: must be a map of table: column or query, not a list"}},
           Row{"tables: {}", {"34: zset.tables: the map of tables is empty; remove it"}},
           Row{"tables: {'': a, orders: '', items: [id]}",
               {"35: zset.tables: a table's name is empty", "50: zset.tables: must not be empty",
                "61: \"zset.tables\" must be a single value, not a list"}},
       }) {
    std::vector<std::string> expected;
    for (const std::string& mistake : row.mistakes) expected.push_back("w.yaml:4:" + mistake);
    EXPECT_EQ(mistakes(with(row.parameter)), expected) << row.parameter;
  }
}

}  // namespace
}  // namespace walrelay::config
