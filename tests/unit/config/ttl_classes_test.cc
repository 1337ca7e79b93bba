// ttl_classes: the defaults, what the environment says instead, and what is wrong with either.
#include "config/ttl_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::load;
using testing::mistakes;

// The classes begin in line 2, column 14.
std::string with(const std::string& classes, const std::string& wanted = "assets") {
  return "source: {url: postgres://h/d}\nttl_classes: " + classes +
         "\nmappings:\n- table: t\n  write: {zset: {key: k, ttl: {class: " + wanted + "}}}\n";
}

milliseconds of_class(const std::string& classes, const testing::Variables& variables = {},
                      const std::string& wanted = "assets") {
  const Config config = load(with(classes, wanted), variables);
  EXPECT_THAT(config.warnings, IsEmpty()) << classes;
  return config.mappings.at(0).writes.at(0).parameters.at("ttl").lifetime.constant;
}

TEST(TtlClasses, Defaults) {
  EXPECT_EQ(of_class("{unit: ms, defaults: {assets: 300000, policies: 600000}}"), milliseconds(300000));
  EXPECT_EQ(of_class("{defaults: {assets: 300}, unit: s}"), milliseconds(300000));
  EXPECT_EQ(of_class("{defaults: {assets: 5m}}"), milliseconds(300000));
  EXPECT_EQ(of_class("{unit: s, defaults: {assets: 5m}}"), milliseconds(300000));  // it has a unit of its own
  EXPECT_EQ(of_class("{defaults: {assets: 0}}"), milliseconds(0));
  EXPECT_EQ(of_class("{unit: ms, defaults: {assets: \"${TTL:-7}\"}}"), milliseconds(7));
  EXPECT_EQ(of_class("{unit: ms, defaults: {\"a b\": 7}}", {}, "\"a b\""), milliseconds(7));
}

// The mappings may stand before them.
TEST(TtlClasses, OrderDoesNotMatter) {
  const Config config = load(
      "mappings: [{table: t, write: {zset: {key: k, ttl: {class: a}}}}]\nttl_classes: {defaults: {a: 1s}}\n"
      "source: {url: postgres://h/d}\n");
  EXPECT_EQ(config.mappings.at(0).writes.at(0).parameters.at("ttl").lifetime.constant, milliseconds(1000));
}

TEST(TtlClasses, NobodyNeedUseThem) {
  for (const char* text : {"", "{}", "{defaults: }", "{unit: ms}", "{env: TTLS, unit: ms}"}) {
    EXPECT_THAT(mistakes("source: {url: postgres://h/d}\nttl_classes: " + std::string(text) + "\n"), IsEmpty()) << text;
  }
}

TEST(TtlClasses, TheEnvironmentWins) {
  const std::string classes = "{env: TTLS, unit: ms, defaults: {assets: 300000, policies: 600000}}";
  const testing::Variables five = {{"TTLS", R"( {"assets": 5000, "lineage":1e3, "prices": "2m", "x": "7"} )"}};
  EXPECT_EQ(of_class(classes, five), milliseconds(5000));
  EXPECT_EQ(of_class(classes, five, "policies"), milliseconds(600000));
  EXPECT_EQ(of_class(classes, five, "lineage"), milliseconds(1000));  // in the environment only
  EXPECT_EQ(of_class(classes, five, "prices"), milliseconds(120000));
  EXPECT_EQ(of_class(classes, five, "x"), milliseconds(7));
  EXPECT_EQ(of_class(classes), milliseconds(300000));
  EXPECT_EQ(of_class(classes, {{"TTLS", ""}}), milliseconds(300000));
  EXPECT_EQ(of_class(classes, {{"TTLS", "{}"}}), milliseconds(300000));
  const std::string seconds = "{env: TTLS, unit: s, defaults: {assets: 5m}}";
  EXPECT_EQ(of_class(seconds, {{"TTLS", R"({"assets": 5})"}}), milliseconds(5000));
  EXPECT_EQ(of_class(seconds, {{"TTLS", R"({"assets": 0.5})"}}), milliseconds(500));
  EXPECT_EQ(of_class(seconds, {{"TTLS", R"({"assets": 0.0001})"}}), milliseconds(1));  // 0 would be for ever
  EXPECT_EQ(of_class(seconds, {{"TTLS", R"({"assets": 0})"}}), milliseconds(0));
}

TEST(TtlClasses, WhatIsNoJsonIsPassedOverWithAWarning) {
  for (const char* value : {"no JSON", "{", "[1]", "7", R"({"assets": 5000,})", "{assets: 5000}", "null",
                            R"({"assets": 5000} x)", "{\"assets\": 5000, \"\xff\": 1}"}) {
    const Config config = load(with("{env: TTLS, unit: ms, defaults: {assets: 300000}}"), {{"TTLS", value}});
    EXPECT_EQ(config.mappings.at(0).writes.at(0).parameters.at("ttl").lifetime.constant, milliseconds(300000)) << value;
    EXPECT_THAT(config.warnings,
                ElementsAre("the environment variable TTLS is no JSON object of numbers and was passed "
                            "over: the defaults of \"ttl_classes\" hold"))
        << value;
  }
}

TEST(TtlClasses, AClassThatIsNoNumberKeepsItsDefault) {
  for (const char* value : {"-1", "-0.5", "null", "true", "[5]", "\"soon\"", "\"\"", "315360000001", "1e300"}) {
    const Config config =
        load(with("{env: TTLS, unit: ms, defaults: {assets: 300000}}"),
             {{"TTLS", "{\"assets\": " + std::string(value) + ", \"a secret?\": -1, \"policies\": 1}"}});
    EXPECT_EQ(config.mappings.at(0).writes.at(0).parameters.at("ttl").lifetime.constant, milliseconds(300000)) << value;
    EXPECT_THAT(
        config.warnings,
        ElementsAre("the environment variable TTLS has no lifetime for the class \"assets\": it must be a number "
                    "of ms from 0 to ten years; its default holds",
                    "the environment variable TTLS has no lifetime for a class: it must be a number of ms from "
                    "0 to ten years; its default holds"))
        << value;
  }
}

TEST(TtlClasses, Mistakes) {
  const std::string form = "; write a whole number in \"unit\", or a duration, as in 5m";
  struct Row {
    std::string classes;
    std::vector<std::string> mistakes;  // with their columns
  };
  for (const Row& row : {
           Row{"5m", {"14: ttl_classes: must be a map with \"defaults\", \"unit\" and \"env\", not a text"}},
           Row{"[a]", {"14: ttl_classes: must be a map with \"defaults\", \"unit\" and \"env\", not a list"}},
           Row{"{default: {assets: 5m}}", {"15: ttl_classes: unknown key \"default\"; did you mean \"defaults\"?"}},
           Row{"{defaults: 5m}", {"25: ttl_classes.defaults: must be a map of class: lifetime, not a text"}},
           Row{"{defaults: {assets: 300000}}",
               {"34: ttl_classes.defaults.assets: \"300000\" has no unit; give \"unit: s\" or \"unit: ms\" beside "
                "\"defaults\", or write it with its own, as in 5m"}},
           Row{"{defaults: {assets: 300000}, unit: m}", {"49: ttl_classes.unit: \"m\" is not allowed; write s or ms"}},
           Row{"{defaults: {assets: 5m}, unit: }",
               {"45: \"ttl_classes.unit\" has no value; give one, or remove the key"}},
           Row{"{unit: ms, defaults: {assets: soon}}",
               {"44: ttl_classes.defaults.assets: \"soon\" is no lifetime" + form}},
           Row{"{unit: ms, defaults: {assets: -5}}", {"44: ttl_classes.defaults.assets: \"-5\" is no lifetime" + form}},
           Row{"{unit: s, defaults: {assets: 315360001}}",
               {"43: ttl_classes.defaults.assets: \"315360001\" is longer than ten years"}},
           Row{"{unit: ms, defaults: {assets: [5]}}",
               {"44: \"ttl_classes.defaults.assets\" must be a single value, not a list"}},
           Row{"{unit: ms, defaults: {'': 5, 'a b': x, assets: 1}}",
               {"36: ttl_classes.defaults: a class's name is empty",
                "50: ttl_classes.defaults: \"x\" is no lifetime" + form}},
           Row{"{env: TTLS, defaults: {assets: 5m}}",
               {"20: ttl_classes: the numbers in \"env\" have no unit; give \"unit: s\" or \"unit: ms\" beside it"}},
           Row{"{env: \"{}\", unit: ms}",
               {"20: ttl_classes.env: must be the name of an environment variable, as in CACHE_TTLS_JSON, not its "
                "value"}},
           Row{"{env: [TTLS], unit: ms}", {"20: \"ttl_classes.env\" must be a single value, not a list"}},
       }) {
    std::vector<std::string> expected;
    for (const std::string& mistake : row.mistakes) expected.push_back("w.yaml:2:" + mistake);
    EXPECT_EQ(mistakes(with(row.classes)), expected) << row.classes;
  }
}

TEST(TtlClasses, AMissingClassIsNamed) {
  const auto missing = [](const std::string& classes, const testing::Variables& variables = {}) {
    return mistakes(with(classes), variables);
  };
  const std::string unknown = "w.yaml:5:39: zset.ttl.class: unknown class \"assets\"";
  EXPECT_THAT(missing(""), ElementsAre(unknown + "; \"ttl_classes\" has none"));
  EXPECT_THAT(missing("{env: TTLS, unit: ms}"), ElementsAre(unknown + "; \"ttl_classes\" has none"));
  EXPECT_THAT(missing("{env: TTLS, unit: ms}", {{"TTLS", "no JSON"}}),
              ElementsAre(unknown + "; \"ttl_classes\" has none; the environment variable TTLS is no JSON object of "
                                    "numbers and was passed over: the defaults of \"ttl_classes\" hold"));
  EXPECT_THAT(missing("{env: TTLS, unit: ms}", {{"TTLS", R"({"asets": 5})"}}),
              ElementsAre(unknown + "; did you mean \"asets\"?"));
}

TEST(TtlClasses, StandInTheFileOnly) {
  EXPECT_THAT(mistakes("source: {url: postgres://h/d}\nttl_class: {}\n", {}, {{{"ttl_classes", "{}"}}}),
              ElementsAre("w.yaml:2:1: unknown key \"ttl_class\"; did you mean \"ttl_classes\"?",
                          "flag ttl_classes: \"ttl_classes\" cannot be given by a flag; only single values can"));
}

}  // namespace
}  // namespace walrelay::config
