// How columns are written as fields and strings: NULL, booleans, bytea, lets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using testing::Bound;
using testing::commands_of;
using ::testing::ElementsAre;
using testing::hash;
using ::testing::HasSubstr;
using testing::including;
using testing::null;
using testing::Outcome;
using testing::string;
using testing::Table;
using testing::unchanged;
using testing::with;

Table flags() { return {"public.flags", {"id:integer:key", "lit:boolean", "data:bytea", "n:integer"}}; }

TEST(FieldForms, StayAsPostgresqlPrintsThem) {
  Bound bound(flags(), {hash("f:{id}")});
  bound.apply(bound.table.insert({"1", "t", "\\x00ff", null}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET f:1 id 1 lit t data \\x00ff", "HDEL f:1 n"));
}

TEST(FieldForms, AreWhatTheWriteSays) {
  Bound bound(flags(), {with(with(hash("a:{id}"), "booleans", "words"), "bytea", "base64"),
                        with(with(hash("b:{id}"), "booleans", "digits"), "bytea", "raw"),
                        with(string("c:{id}", "lit"), "booleans", "words"),
                        with(string("d:{id}", "data"), "bytea", "raw"), with(string("e:{id}"), "bytea", "hex")});
  bound.apply(bound.table.insert({"1", "t", "\\x0aff00", "7"}));
  const std::string raw("\n\xff\0", 3);
  EXPECT_THAT(commands_of(bound.batch),
              ElementsAre(testing::Command{"HSET", "a:1", "id", "1", "lit", "true", "data", "Cv8A", "n", "7"},
                          testing::Command{"HSET", "b:1", "id", "1", "lit", "1", "data", raw, "n", "7"},
                          testing::Command{"SET", "c:1", "true"}, testing::Command{"SET", "d:1", raw},
                          testing::Command{"SET", "e:1", R"({"id":1,"lit":true,"data":"\\x0aff00","n":7})"}));
  bound.batch.clear();
  bound.apply(bound.table.update({"1", "f", "\\x", "7"}));
  EXPECT_THAT(bound.lines(),
              ElementsAre("HSET a:1 id 1 lit false data  n 7", "HSET b:1 id 1 lit 0 data  n 7", "SET c:1 false",
                          "SET d:1 ", R"(SET e:1 {"id":1,"lit":false,"data":"\\x","n":7})"));
  // What has not its type's form stays as it is.
  bound.apply(bound.table.update({"1", "maybe", "\\x0", "7"}));
  EXPECT_EQ(bound.lines()[1], "HSET b:1 id 1 lit maybe data \\x0 n 7");
}

TEST(FieldForms, OfOneFieldOfASharedHash) {
  WriteSpec field{
      "hash_field", {{"key", testing::text_parameter("h")}, {"field", testing::text_parameter("{id}")}}, ""};
  Bound bound(flags(), {with(with(field, "column", "data"), "bytea", "base64")});
  bound.apply(bound.table.insert({"1", "t", "\\x0aff00", "7"}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET h 1 Cv8A"));
  Bound json(flags(), {with(field, "profile", "node-pg")});
  json.apply(json.table.insert({"1", "t", "\\x0a", null}));
  EXPECT_THAT(json.lines(),
              ElementsAre(R"(HSET h 1 {"id":1,"lit":true,"data":{"type":"Buffer","data":[10]},"n":null})"));
}

TEST(FieldForms, NullMayBeThere) {
  Bound bound(flags(), {with(including(hash("e:{id}"), {"lit", "n"}), "nulls", "empty"),
                        with(including(hash("n:{id}"), {"lit", "n"}), "nulls", "null"),
                        with(including(hash("a:{id}"), {"lit", "n"}), "nulls", "absent")});
  bound.apply(bound.table.insert({"1", "t", null, null}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET e:1 lit t n ", "HSET n:1 lit t n null", "HSET a:1 lit t", "HDEL a:1 n"));
  bound.apply(bound.table.update({"1", null, null, null}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET e:1 lit  n ", "HSET n:1 lit null n null", "UNLINK a:1"));
  bound.writer->replace(bound.table.row({"1", null, null, null}), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET e:1 lit  n ", "HSET n:1 lit null n null"));
}

TEST(FieldForms, LetsAreChosenByTheirNames) {
  WriteSpec renamed = including(string("j:{id}"), {"id", "twice", "word", "n"});
  renamed.parameters["columns"].rename = {{"twice", "n2"}, {"n", "raw"}};
  Bound bound(flags(), {renamed, including(hash("h:{id}"), {"twice", "word"}), hash("all:{id}")},
              {{"twice", "n * 2"}, {"word", "'' || n"}, {"n", "n + 1"}});
  bound.apply(bound.table.insert({"1", null, null, "21"}));
  EXPECT_THAT(bound.lines(), ElementsAre(R"(SET j:1 {"id":1,"n2":42,"word":"21","raw":22})",
                                         "HSET h:1 twice 42 word 21", "HSET all:1 id 1 n 21", "HDEL all:1 lit data"));
  bound.apply(bound.table.update({"1", null, null, null}));
  EXPECT_THAT(bound.lines(), ElementsAre(R"(SET j:1 {"id":1,"n2":null,"word":null,"raw":null})", "UNLINK h:1",
                                         "HSET all:1 id 1", "HDEL all:1 lit data n"));
  // What a let is made of is unchanged: so is the let.
  EXPECT_EQ(bound.apply(bound.table.update({"1", "t", null, unchanged})), Outcome::reread);
}

std::string bind_error(const WriteSpec& write, const Bound::Lets& lets = {}) {
  MappingSpec spec = testing::mapping("m", "flags", {write});
  spec.let = lets;
  return testing::bind_error({spec}, flags());
}

TEST(FieldForms, AreRefusedWhereTheyMakeNoSense) {
  EXPECT_THAT(bind_error(including(hash("h:{id}"), {"id", "tvice"}), {{"twice", "n"}}),
              HasSubstr("columns.include: there is no column \"tvice\""));
  WriteSpec renamed = hash("h:{id}");
  renamed.parameters["columns"].rename = {{"twice", "x"}};
  EXPECT_THAT(bind_error(renamed, {{"twice", "n"}}), HasSubstr("the let twice is not among the chosen ones"));
  const auto compile_error = [](const WriteSpec& write) -> std::string {
    try {
      MappingSet set({testing::mapping("m", "flags", {write})});
    } catch (const MappingError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(compile_error(with(string("k:{id}"), "bytea", "raw")), HasSubstr("\"bytea: raw\" is for a column"));
  EXPECT_THAT(compile_error(with(string("k:{id}"), "booleans", "words")), HasSubstr("\"booleans\" is for a column"));
  EXPECT_THAT(compile_error(with(string("k:{id}", "n"), "profile", "go")), HasSubstr("\"profile\" is for the row"));
  EXPECT_THAT(compile_error(with(string("k:{id}", "n"), "value", "n + 1")), HasSubstr("keep one"));
}

TEST(StringWrite, MayBeAnExpression) {
  Bound bound(flags(), {with(string("v:{id}"), "value", "CASE WHEN lit THEN n * 1.5 END"),
                        with(with(string("b:{id}"), "value", "data"), "bytea", "raw")});
  bound.apply(bound.table.insert({"1", "t", "\\x41", "3"}));
  EXPECT_THAT(bound.lines(), ElementsAre("SET v:1 4.5", "SET b:1 A"));
  bound.apply(bound.table.update({"1", "f", null, "3"}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK v:1", "UNLINK b:1"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", "t", null, unchanged})), Outcome::reread);
}

}  // namespace
}  // namespace walrelay::sinks
