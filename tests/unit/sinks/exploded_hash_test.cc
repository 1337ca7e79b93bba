// Hashes made of the elements of a JSON column.
#include "sinks/exploded_hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using testing::absent;
using testing::Bound;
using ::testing::ElementsAre;
using testing::exploding;
using testing::hash;
using ::testing::HasSubstr;
using testing::null;
using testing::Outcome;
using testing::Table;
using testing::unchanged;
using testing::with;

Table stations() { return {"public.stations", {"id:text:key", "settings:jsonb", "prefix:text", "key:text"}}; }
const Explode kValues{"settings", "key", "value->>'Value'", ""};
const std::string kSettings = R"({"Heartbeat": {"Value": "60", "Status": "Pending"}, "Interval": {"Value": "30"}})";

WriteSpec settings(Explode explode = kValues) { return exploding(hash("cs:{id}:settings"), std::move(explode)); }

TEST(ExplodedHash, ReplacesTheWholeHash) {
  Bound bound(stations(), {settings()});
  bound.apply(bound.table.insert({"a", kSettings, null, null}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK cs:a:settings", "HSET cs:a:settings Heartbeat 60 Interval 30"));
  bound.writer->replace(bound.table.row({"a", kSettings, null, null}), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET cs:a:settings Heartbeat 60 Interval 30"));
  for (const testing::Cell& none : {null, testing::Cell("{}"), testing::Cell("null"), testing::Cell("[]")}) {
    bound.apply(bound.table.update({"a", none, null, null}));
    EXPECT_THAT(bound.lines(), ElementsAre("UNLINK cs:a:settings"));
  }
  bound.apply(bound.table.remove({"a", absent, absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK cs:a:settings"));
}

struct ExplodeCase {
  std::string name;
  Explode explode;
  std::string settings, prefix, key;
  std::string fields;  // " f v f v"
};
class Explosions : public ::testing::TestWithParam<ExplodeCase> {};

TEST_P(Explosions, MakeTheFields) {
  const ExplodeCase& tested = GetParam();
  Bound bound(stations(), {settings(tested.explode)}, {{"loud", "upper(prefix)"}});
  const testing::Cells row{"a", tested.settings, tested.prefix, tested.key};
  bound.writer->replace(bound.table.row(row), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET cs:a:settings" + tested.fields));
  std::vector<Expectation> expected;
  bound.writer->expect(bound.table.row(row), expected);
  std::string fields;
  for (const auto& [name, value] : expected.at(0).fields) fields += " " + name + " " + value;
  EXPECT_EQ(fields, tested.fields);
}

INSTANTIATE_TEST_SUITE_P(
    ExplodedHash, Explosions,
    ::testing::Values(
        ExplodeCase{
            "values_of_each_type",
            {"settings", "key", "value", ""},
            R"({"s": "x", "i": 12, "d": 0.1, "t": true, "n": null, "o": {"a": [1, "b"]}, "q": "say \"ä\"\u0001"})",
            "",
            "",
            " s x i 12 d 0.1 t 1 o {\"a\":[1,\"b\"]} q say \"ä\"\x01"},
        ExplodeCase{"json_of_values",
                    {"settings", "key", "value->'v'", ""},
                    R"({"a": {"v": "x"}, "b": {"v": [1]}})",
                    "",
                    "",
                    " a \"x\" b [1]"},
        ExplodeCase{"some",
                    {"settings", "key", "value->>'Value'", "value->>'Status' = 'Pending'"},
                    kSettings,
                    "",
                    "",
                    " Heartbeat 60"},
        ExplodeCase{"array",
                    {"settings", "value->>'n'", "value->>'name'", ""},
                    R"([{"n": 0, "name": "p0"}, {"n": 1, "name": "p1"}])",
                    "",
                    "",
                    " 0 p0 1 p1"},
        ExplodeCase{"places", {"settings", "key", "value", "type = 'text'"}, R"(["x", 1, "y"])", "", "", " 0 x 2 y"},
        ExplodeCase{"the_row",
                    {"settings", "prefix || ':' || loud || ':' || key", "row.key || value || id", ""},
                    R"({"k": "v"})",
                    "pre",
                    "own",
                    " pre:PRE:k ownva"},
        ExplodeCase{"comments",
                    {"settings", "key -- the name", "value /* as it is */", "1 -- all"},
                    R"({"k": "v"})",
                    "",
                    "",
                    " k v"},
        ExplodeCase{"exact",
                    {"settings", "key", "value", ""},
                    R"({"big": 9007199254740993, "r": 0.30000000000000004})",
                    "",
                    "",
                    " big 9007199254740993 r 0.30000000000000004"},
        ExplodeCase{"the_last_of_one_name",
                    {"settings", "lower(key)", "value", ""},
                    R"({"A": 1, "b": 2, "a": 3})",
                    "",
                    "",
                    " a 3 b 2"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ExplodedHash, WhatIsUnchangedStays) {
  Bound bound(stations(), {settings()});
  EXPECT_EQ(bound.apply(bound.table.update({"a", unchanged, "p", null})), Outcome::done);
  EXPECT_TRUE(bound.batch.empty());
  EXPECT_EQ(bound.apply(bound.table.update({"a", unchanged, "p", null}), false), Outcome::reread);
  EXPECT_EQ(bound.apply(bound.table.update({"b", unchanged, "p", null}, {"a", absent, absent, absent})),
            Outcome::reread);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK cs:a:settings"));
}

TEST(ExplodedHash, WhatElseTheFieldsAreMadeOfMayHaveChanged) {
  Bound bound(stations(), {settings({"settings", "prefix || key", "value", ""})});
  EXPECT_EQ(bound.apply(bound.table.update({"a", unchanged, "p", null})), Outcome::reread);
  EXPECT_EQ(bound.apply(bound.table.update({"a", unchanged, unchanged, null})), Outcome::done);
  EXPECT_TRUE(bound.batch.empty());
  Bound named(stations(), {settings({"settings", "id || key", "value", ""})});
  EXPECT_EQ(named.apply(named.table.update({"a", unchanged, "p", null})), Outcome::done);
}

TEST(ExplodedHash, WithAConditionOrATtlItIsReadAgain) {
  Bound when(stations(), {with(settings(), "when", "prefix = 'p'")});
  EXPECT_EQ(when.apply(when.table.update({"a", unchanged, "p", null})), Outcome::reread);
  Bound ttl(stations(), {testing::with_ttl(settings(), std::chrono::seconds(5))});
  EXPECT_EQ(ttl.apply(ttl.table.update({"a", unchanged, "p", null})), Outcome::reread);
}

TEST(ExplodedHash, ARowThatCannotBeReadIsRefusedBeforeAnythingIsWritten) {
  Bound bound(stations(), {hash("cs:{id}"), settings({"settings", "value->>'n'", "value->>'v'", ""})});
  EXPECT_THAT(bound.row_error(bound.table.insert({"a", R"([{"v": "x"}])", null, null})),
              HasSubstr("table public.stations, hash: explode.field is NULL for an element of a row"));
  EXPECT_THAT(bound.row_error(bound.table.insert({"a", "{", null, null})), HasSubstr("malformed JSON"));
  EXPECT_THAT(bound.row_error(bound.table.insert({"a", "{\"a\":{\"n\":\"\xff\",\"v\":1}}", null, null})),
              HasSubstr("no text in UTF-8"));
  EXPECT_TRUE(bound.batch.empty());
}

std::string bind_error(const Explode& explode) {
  return testing::bind_error({testing::mapping("m", "stations", {settings(explode)})}, stations());
}

TEST(ExplodedHash, SaysWhatIsWrongWithItsParts) {
  EXPECT_THAT(bind_error({"setings", "key", "value", ""}),
              HasSubstr("explode.column: there is no column \"setings\"; did you mean \"settings\"?"));
  EXPECT_THAT(bind_error({"settings", "key)", "value", ""}), HasSubstr("explode.field: ')' closes nothing"));
  EXPECT_THAT(bind_error({"settings", "key", "value, key", ""}),
              HasSubstr("explode.value: an expression is one value"));
  EXPECT_THAT(bind_error({"settings", "key", "value", "1; DROP"}), HasSubstr("explode.where: an expression is one"));
  EXPECT_THAT(bind_error({"settings", "key", "valu", ""}), HasSubstr("hash: explode: there is no column"));
  EXPECT_THAT(bind_error({"settings", "key", "max(value)", ""}), HasSubstr("explode: max() is an aggregate"));
  EXPECT_THAT(bind_error({"settings", "key", "random()", ""}), HasSubstr("explode: random() may not be used"));
  WriteSpec both = settings();
  both.parameters["columns"].include = {"id"};
  EXPECT_THROW(MappingSet({testing::mapping("m", "stations", {both})}), MappingError);
}

}  // namespace
}  // namespace walrelay::sinks
