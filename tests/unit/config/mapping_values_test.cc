// A mapping's let, identity, on_poison and enabled: every form that is taken, and each mistake with its place.
#include "config/mapping_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::load;
using testing::mistakes;
using ::testing::Pair;
using Form = Identity::Form;

// The text begins in line 5, column 3.
std::string with(const std::string& text) {
  return "source: {url: postgres://h/d}\nmappings:\n- table: t\n  write: {hash: {key: k}}\n  " + text + "\n";
}

Mapping mapping(const std::string& text, const testing::Variables& variables = {}) {
  return load(with(text), variables).mappings.at(0);
}

TEST(Let, KeepsItsOrder) {
  EXPECT_THAT(
      mapping("let: {size: \"CASE g WHEN 'DAY' THEN 180 END\", part: \"floordiv(v, size)\", _A9: 1}").let,
      ElementsAre(Pair("size", "CASE g WHEN 'DAY' THEN 180 END"), Pair("part", "floordiv(v, size)"), Pair("_A9", "1")));
  EXPECT_THAT(mapping("let: {p: \"'${PREFIX}'\"}", {{"PREFIX", "x"}}).let, ElementsAre(Pair("p", "'x'")));
  EXPECT_THAT(mapping("let: {}").let, IsEmpty());
  EXPECT_THAT(mapping("on_poison: stop").let, IsEmpty());
}

TEST(Identity, EveryForm) {
  EXPECT_EQ(mapping("on_poison: stop").identity.form, Form::any);
  EXPECT_EQ(mapping("identity: primary_key").identity.form, Form::primary_key);
  EXPECT_EQ(mapping("identity: full").identity.form, Form::full);
  EXPECT_EQ(mapping("identity: \"${I}\"", {{"I", "full"}}).identity.form, Form::full);
  const Identity columns = mapping("identity: [uid, full]").identity;
  EXPECT_EQ(columns.form, Form::columns);
  EXPECT_THAT(columns.columns, ElementsAre("uid", "full"));
}

TEST(OnPoison, IsOptional) {
  EXPECT_EQ(mapping("identity: full").on_poison, "");
  for (const char* word : {"stop", "dead_letter", "skip"}) {
    EXPECT_EQ(mapping("on_poison: " + std::string(word)).on_poison, word);
  }
}

TEST(OnTableGone, KeepsByDefault) {
  EXPECT_FALSE(mapping("identity: full").purge_gone);
  EXPECT_FALSE(mapping("on_table_gone: keep").purge_gone);
  EXPECT_TRUE(mapping("on_table_gone: purge").purge_gone);
}

TEST(MappingValues, Mistakes) {
  struct Row {
    std::string text;
    std::vector<std::string> mistakes;  // with their columns
  };
  const std::string name = "let: a name must be a letter or \"_\", and then letters, digits or \"_\"";
  for (const Row& row : {
           Row{"let: [a]", {"8: let: must be a map of name: expression, not a list"}},
           Row{"let: a", {"8: let: must be a map of name: expression, not a text"}},
           Row{"let:", {"3: let: must be a map of name: expression, not nothing"}},
           Row{"let: {a-b: 1, 9a: 1, '': 1, \"a\\u00E9\": 1}",
               {"9: " + name, "17: " + name, "24: " + name, "31: " + name}},
           Row{"let: {a: '', b: [1], c: , a: 2}",
               {"12: let.a: must not be empty", "19: \"let.b\" must be a single value, not a list",
                "27: \"let.c\" has no value; give one, or remove the key",
                "29: \"a\" stands already in line 5 of the same map; keep one of them"}},
           Row{"identity: primary",
               {"13: identity: \"primary\" is not allowed; write primary_key, full, or a list of columns, as in [id]"}},
           Row{"identity: {id: 1}", {"13: identity: must be a list of columns, primary_key or full, not a map"}},
           Row{"identity: []", {"13: identity: the list of columns is empty; remove it"}},
           Row{"identity: [id, '', id, [x]]",
               {"18: identity: a column's name is empty", "22: identity: this column stands twice in the list",
                "26: \"identity\" must be a single value, not a list"}},
           Row{"identity:", {"3: \"identity\" has no value; give one, or remove the key"}},
           Row{"on_poison: halt", {"14: on_poison: \"halt\" is not allowed; write stop, dead_letter or skip"}},
           Row{"on_table_gone: drop", {"18: on_table_gone: \"drop\" is not allowed; write keep or purge"}},
           Row{"on_poison: [skip]", {"14: \"on_poison\" must be a single value, not a list"}},
           Row{"enabled: perhaps", {"12: enabled: \"perhaps\" is neither true nor false"}},
           Row{"enabled: [no]", {"12: \"enabled\" must be a single value, not a list"}},
           Row{"lets: {a: 1}", {"3: unknown key \"lets\" in a mapping; did you mean \"let\"?"}},
           Row{"on_poisn: skip", {"3: unknown key \"on_poisn\" in a mapping; did you mean \"on_poison\"?"}},
       }) {
    std::vector<std::string> expected;
    for (const std::string& mistake : row.mistakes) expected.push_back("w.yaml:5:" + mistake);
    EXPECT_EQ(mistakes(with(row.text)), expected) << row.text;
  }
}

std::string two(const std::string& first, const std::string& second) {
  return "source: {url: postgres://h/d}\nmappings:\n- {table: t, write: {hash: {key: a}}, " + first +
         "}\n- {table: t, write: {hash: {key: b}}, " + second + "}\n";
}

TEST(Enabled, AMappingThatIsNotIsLeftOut) {
  const std::string text = two("enabled: \"${FIRST:-true}\"", "enabled: \"${SECOND:-no}\"");
  const auto key = [&](const testing::Variables& variables) {
    const Config config = load(text, variables);
    EXPECT_EQ(config.mappings.size(), 1U);
    return config.mappings.at(0).writes.at(0).parameters.at("key").text;
  };
  EXPECT_EQ(key({}), "a");
  EXPECT_EQ(key({{"FIRST", ""}}), "a");
  EXPECT_EQ(key({{"FIRST", "off"}, {"SECOND", "on"}}), "b");
  // Only one of two with the same name may be there; with both, they are in each other's way.
  EXPECT_THAT(mistakes(text, {{"SECOND", "1"}}),
              ElementsAre("w.yaml:4:11: the mapping in line 3 is named after the same table; put both writes into one "
                          "mapping, or give one of them a \"name\""));
}

TEST(Enabled, WhatIsLeftOutIsCheckedAllTheSame) {
  EXPECT_THAT(mistakes(two("enabled: true", "enabled: false, on_poison: halt, xyzzy: 1")),
              ElementsAre("w.yaml:4:66: on_poison: \"halt\" is not allowed; write stop, dead_letter or skip",
                          "w.yaml:4:72: unknown key \"xyzzy\" in a mapping"));
}

// It is not the no-mappings default, which would write every table.
TEST(Enabled, WithoutAnyNothingIsToBeDone) {
  const Config config = load(two("enabled: false", "enabled: no"));
  EXPECT_TRUE(config.disabled);
  EXPECT_TRUE(config.mappings.empty());
  EXPECT_FALSE(load(two("enabled: false", "enabled: yes")).disabled);
  EXPECT_FALSE(load("source: {url: postgres://h/d}").disabled);
}

}  // namespace
}  // namespace walrelay::config
