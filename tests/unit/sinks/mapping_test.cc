#include "sinks/mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_redis.h"
#include "specs.h"
#include "tables.h"

namespace walrelay::sinks {
namespace {

using ::testing::AllOf;
using testing::bind_error;
using ::testing::ElementsAre;
using testing::hash;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::mapping;
using testing::string;
using testing::Table;

std::string compile_error(std::vector<MappingSpec> specs) {
  try {
    MappingSet set(std::move(specs));
  } catch (const MappingError& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<std::string> insert_lines(std::vector<MappingSpec> specs, Table& table, const testing::Cells& row) {
  MappingSet set(std::move(specs));
  const auto writer = set.bind(table.relation);
  Batch batch;
  writer->apply(table.insert(row), true, batch);
  return lines_of(batch);
}

TEST(Kinds, AreDescribed) {
  std::vector<std::string> names;
  for (const KindDescription& kind : kinds()) {
    names.push_back(kind.name);
    EXPECT_FALSE(kind.help.empty());
    ASSERT_FALSE(kind.parameters.empty());
    EXPECT_EQ(kind.parameters.front().name, "key");
    EXPECT_TRUE(kind.parameters.front().required);
    for (const ParameterDescription& parameter : kind.parameters) EXPECT_FALSE(parameter.help.empty());
  }
  EXPECT_THAT(names, ElementsAre("hash", "string", "json", "hash_field", "set", "zset", "bitmap", "roaring", "document"));
}

TEST(Mapping, TellsEveryMistakeAtOnce) {
  MappingSpec both = mapping("both", "public.a", {hash("k:{id}")});
  both.tables = "a";
  MappingSpec pattern = mapping("pattern", "", {hash("k:{id}")});
  pattern.tables = "(a";
  MappingSpec nothing = mapping("nothing", "public.a", {});
  nothing.where = "walrelay.yaml:9:3";
  MappingSpec templates = mapping("templates", "public.a", {hash("k:{id"), hash("k}:{id}")});
  MappingSpec kinds = mapping("kinds", "public.a", {{"hsah", {}, "walrelay.yaml:5:7"}, {"string", {}, ""}});
  MappingSpec exclusive = mapping("exclusive", "public.a", {string("k:{id}", "name")});
  exclusive.writes[0].parameters["columns"].include = {"name"};
  const std::string message =
      compile_error({both, pattern, nothing, templates, kinds, exclusive, mapping("both", "b", {hash("k:{id}")})});
  for (const char* line :
       {"mapping both: a mapping is for a table or for tables", "mapping pattern: tables: \"(a\" is not a regular",
        "mapping nothing at walrelay.yaml:9:3: it writes nothing", "mapping templates, hash: key: \"k:{id\": this '{'",
        "mapping templates, hash: key: \"k}:{id}\": this '}'",
        "mapping kinds, hsah at walrelay.yaml:5:7: there is no such kind of write; did you mean \"hash\"?",
        "mapping kinds, string: the parameter \"key\" is missing", "mapping exclusive, string: \"column\"",
        "mapping both: two mappings have this name"}) {
    EXPECT_THAT(message, HasSubstr(line));
  }
}

struct WantCase {
  std::string table, tables, schema, name;
  bool wanted;
};

TEST(Mapping, WantsTheTablesItNames) {
  const std::vector<WantCase> cases{{"public.users", "", "public", "users", true},
                                    {"users", "", "public", "users", true},
                                    {"users", "", "app", "users", false},
                                    {"app.users", "", "app", "users", true},
                                    {"app.users", "", "public", "users", false},
                                    {"app.users", "", "public", "app.users", true},
                                    {"app.user", "", "app", "users", false},
                                    {"app_users", "", "app", "users", false},
                                    {"", "^app\\.u(?<rest>.*)$", "app", "users", true},
                                    {"", "^app\\.u(?<rest>.*)$", "public", "users", false}};
  for (const WantCase& tested : cases) {
    MappingSpec spec = mapping("m", tested.table, {hash("k:{id}")});
    spec.tables = tested.tables;
    MappingSet set({spec});
    EXPECT_EQ(set.wants(tested.schema, tested.name), tested.wanted)
        << tested.table << tested.tables << " " << tested.schema << "." << tested.name;
    Table table(tested.schema + "." + tested.name, {"id:integer:key"});
    table.relation.schema = tested.schema;
    table.relation.name = tested.name;
    EXPECT_EQ(set.bind(table.relation) != nullptr, tested.wanted);
  }
}

TEST(Mapping, NamedGroupsAreCapturesInTheKey) {
  Table table("public.items_q1_42", {"id:integer:key", "name:text"});
  MappingSpec spec = mapping("items", "", {hash("q:{queue}:{part}:{table}:{id}")});
  spec.tables = R"(^public\.items_(?<queue>[0-9a-z]+)_(?<part>[0-9]+)$)";
  EXPECT_THAT(insert_lines({spec}, table, {"7", "Ann"}), ElementsAre("HSET q:q1:42:items_q1_42:7 id 7 name Ann"));
}

struct DefaultCase {
  std::string table;
  std::vector<std::string> columns;
  testing::Cells row;
  std::string line, glob;
};

TEST(Mapping, WithoutMappingsEveryTableIsAHash) {
  const std::vector<DefaultCase> cases{
      {"public.users", {"id:integer:key", "n:text"}, {"7", "x"}, "HSET users:7 id 7 n x", "users:*"},
      {"app.users", {"id:integer:key"}, {"7"}, "HSET app.users:7 id 7", "app.users:*"},
      {"public.pairs",
       {"a:text:key", "n:text", "b:text:key"},
       {"x:y", "1", "z"},
       "HSET pairs:x%3Ay:z a x:y n 1 b z",
       "pairs:*:*"},
      {"public.we:ird t*", {"id:text:key"}, {"{a}"}, "HSET we%3Aird%20t*:%7Ba%7D id {a}", "we%3Aird%20t\\*:*"}};
  for (const DefaultCase& tested : cases) {
    Table table(tested.table, tested.columns);
    EXPECT_THAT(insert_lines({}, table, tested.row), ElementsAre(tested.line));
    MappingSet set({});
    const auto writer = set.bind(table.relation);
    EXPECT_TRUE(set.default_mapping());
    EXPECT_TRUE(set.wants("any", "table"));
    EXPECT_EQ(writer->mapping(), tested.table);
    ASSERT_EQ(writer->owned().size(), 1U);
    EXPECT_EQ(writer->owned()[0].glob, tested.glob);
    const std::string key = testing::first_key(tested.line);
    EXPECT_TRUE(writer->owned()[0].owns(key)) << key;
  }
}

TEST(Mapping, DefaultKeysOfDifferentTablesDiffer) {
  Table dotted("public.x", {"id:integer:key"}), qualified("a.b", {"id:integer:key"});
  dotted.relation.name = "a.b";
  EXPECT_THAT(insert_lines({}, dotted, {"1"}), ElementsAre("HSET a%2Eb:1 id 1"));
  EXPECT_THAT(insert_lines({}, qualified, {"1"}), ElementsAre("HSET a.b:1 id 1"));
}

TEST(Mapping, TheDefaultKeyUnderFullIsThePrimaryKey) {
  Table table = Table("public.users", {"id:integer:key", "name:text"}).full();
  EXPECT_THAT(insert_lines({}, table, {"7", "Ann"}), ElementsAre("HSET users:7 id 7 name Ann"));
  Table heap = Table("public.log", {"line:text"}).full();
  EXPECT_THAT(bind_error({}, heap), AllOf(HasSubstr("table public.log"), HasSubstr("no primary key"),
                                          HasSubstr("ALTER TABLE \"public\".\"log\" ADD PRIMARY KEY (...);")));
}

TEST(Mapping, ColumnsMustExist) {
  Table table("public.t", {"id:integer:key", "name:text", "mail:text"});
  const auto error = [&](const Parameter& columns) {
    MappingSpec spec = mapping("m", "t", {hash("k:{id}")});
    spec.writes[0].parameters["columns"] = columns;
    return bind_error({spec}, table);
  };
  Parameter include, exclude, rename, twice, outside, none;
  include.include = {"id", "mial"};
  exclude.exclude = {"nam"};
  rename.rename = {{"idd", "x"}};
  twice.rename = {{"mail", "name"}};
  outside.include = {"id"};
  outside.rename = {{"mail", "m"}};
  none.include = {"id"};
  none.exclude = {"id"};
  EXPECT_THAT(error(include), HasSubstr("columns.include: there is no column \"mial\"; did you mean \"mail\"?"));
  EXPECT_THAT(error(exclude), HasSubstr("columns.exclude: there is no column \"nam\"; did you mean \"name\"?"));
  EXPECT_THAT(error(rename), HasSubstr("columns.rename: there is no column \"idd\"; did you mean \"id\"?"));
  EXPECT_THAT(error(twice), HasSubstr("two columns would be the field \"name\""));
  EXPECT_THAT(error(outside), HasSubstr("column mail is not among the chosen ones"));
  EXPECT_THAT(error(none), HasSubstr("columns: no column is left"));
  EXPECT_THAT(bind_error({mapping("m", "t", {string("k:{id}", "nam")})}, table),
              HasSubstr("column: there is no column \"nam\"; did you mean \"name\"?"));
}

TEST(Mapping, TwoWritesOfATableMayNotShareAKey) {
  Table table("public.t", {"id:integer:key", "name:text"});
  EXPECT_THAT(bind_error({mapping("m", "t", {hash("k:{id}"), string("k:{id}")})}, table),
              HasSubstr("another write of this table has the same key \"k:{id}\""));
  EXPECT_THAT(bind_error({mapping("m", "t", {hash("k:{id}")}), mapping("n", "public.t", {hash("k:{id}")})}, table),
              HasSubstr("mapping n, table public.t"));
  EXPECT_EQ(bind_error({mapping("m", "t", {hash("k:{id}"), string("s:{id}")})}, table), "accepted");
}

TEST(Mapping, EveryMatchingMappingWritesInOrder) {
  Table table("public.t", {"id:integer:key", "name:text"});
  MappingSet set({mapping("m", "t", {hash("a:{id}"), string("b:{id}", "name")}),
                  mapping("other", "x", {hash("x:{id}")}), mapping("n", "public.t", {hash("c:{id}")})});
  const auto writer = set.bind(table.relation);
  Batch batch;
  writer->apply(table.insert({"1", "Ann"}), true, batch);
  EXPECT_THAT(lines_of(batch), ElementsAre("HSET a:1 id 1 name Ann", "SET b:1 Ann", "HSET c:1 id 1 name Ann"));
  EXPECT_EQ(writer->mapping(), "m,n");
  EXPECT_EQ(writer->owned().size(), 3U);
}

TEST(Mapping, WritesKeepTheirNumbersOverVersionsOfARelation) {
  Table table("public.t", {"id:integer:key", "name:text"}), other("public.u", {"id:integer:key"});
  MappingSpec spec = mapping("m", "", {hash("a:{table}:{id}"), hash("b:{table}:{id}")});
  spec.tables = "public";
  MappingSet set({spec});
  const auto first = set.bind(table.relation), second = set.bind(other.relation);
  table.relation.columns.pop_back();
  const auto again = set.bind(table.relation);
  EXPECT_EQ(first->writes(), again->writes());
  EXPECT_THAT(first->writes(), ElementsAre(0U, 1U));
  EXPECT_THAT(second->writes(), ElementsAre(2U, 3U));
  EXPECT_EQ(set.describe(2), "mapping m, table public.u, hash");
  EXPECT_EQ(set.describe(99), "an unknown write");
}

}  // namespace
}  // namespace walrelay::sinks
