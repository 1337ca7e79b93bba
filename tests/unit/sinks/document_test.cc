// What the configuration says of documents, which rows name them, and what is written for one.
#include "sinks/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::Table;
using testing::text_parameter;

WriteSpec document(const std::string& key, std::map<std::string, std::string> tables = {},
                   const std::string& query = "SELECT id, value FROM v WHERE id = ANY ($1)") {
  WriteSpec write{"document", {{"key", text_parameter(key)}, {"query", text_parameter(query)}}, "w.yaml:1:1"};
  if (!tables.empty()) write.parameters["tables"].rename = std::move(tables);
  return write;
}

MappingSpec orders(WriteSpec write) { return testing::mapping("orders", "public.orders", {std::move(write)}); }

Table root() { return {"public.orders", {"id:bigint:key", "name:text"}}; }
Table lines() { return {"public.lines", {"order_id:bigint:key", "line:integer:key", "product:integer"}}; }

std::string mistake(const WriteSpec& write) {
  try {
    const MappingSet set({orders(write)});
  } catch (const MappingError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Document, SourcesAreColumnsOrLookups) {
  const MappingSet set(
      {orders(document("order:{id}", {{"lines", "order_id"},
                                      {"shop.products", "SELECT order_id FROM lines WHERE product = ANY ($1);"},
                                      {"a.b", " select(1)"}}))});
  const DocumentSpec& spec = set.documents().at(0);
  EXPECT_EQ(spec.name, "orders");
  EXPECT_EQ(spec.root(), "public.orders");
  EXPECT_THAT(spec.id, ElementsAre("id"));
  ASSERT_EQ(spec.sources.size(), 3U);
  EXPECT_EQ(spec.sources[0].lookup, "select(1)");
  EXPECT_THAT(spec.sources[1].columns, ElementsAre("order_id"));
  EXPECT_EQ(spec.sources[1].qualified(), "public.lines");
  EXPECT_EQ(spec.sources[2].lookup, "SELECT order_id FROM lines WHERE product = ANY ($1)");
  EXPECT_TRUE(set.wants("shop", "products"));
  EXPECT_TRUE(set.names("public", "lines"));
  EXPECT_FALSE(set.wants("public", "products"));
}

TEST(Document, MistakesOfTheConfiguration) {
  EXPECT_THAT(mistake(document("order:{id}", {}, "SELECT 1")), HasSubstr("w.yaml:1:1: query: it must ask for"));
  EXPECT_THAT(mistake(document("o:{a}:{b}", {{"lines", "order_id"}})), HasSubstr("names 1 columns, and the key has 2"));
  EXPECT_EQ(mistake(document("o:{a}:{b}", {{"lines", "x, y"}})), "accepted");
}

TEST(Document, RowsNameDocuments) {
  MappingSet set(
      {orders(document("order:{id}", {{"lines", "order_id"}, {"products", "SELECT x FROM y WHERE z = ANY ($1)"}}))});
  const auto own = set.bind(root().relation);
  ASSERT_EQ(own->paths().size(), 1U);
  EXPECT_FALSE(own->paths()[0].source);
  EXPECT_NE(own->document(0), nullptr);
  const auto link = set.bind(lines().relation);
  ASSERT_NE(link, nullptr);
  EXPECT_TRUE(link->writes().empty());
  EXPECT_EQ(link->document(0), nullptr);
  ASSERT_EQ(link->paths().size(), 1U);
  EXPECT_THAT(link->paths()[0].columns, ElementsAre(0));
  const auto looked_up = set.bind(Table("public.products", {"name:text", "id:integer:key"}).relation);
  ASSERT_EQ(looked_up->paths().size(), 1U);
  EXPECT_TRUE(looked_up->paths()[0].lookup);
  EXPECT_THAT(looked_up->paths()[0].columns, ElementsAre(1));
  EXPECT_EQ(set.bind(Table("public.other", {"id:integer:key"}).relation), nullptr);
}

TEST(Document, ALinkMustStandInTheIdentity) {
  const MappingSpec spec = orders(document("order:{id}", {{"lines", "order_id"}}));
  Table narrow{"public.lines", {"id:integer:key", "order_id:bigint"}};
  const std::string message = testing::bind_error({spec}, narrow);
  EXPECT_THAT(message, HasSubstr("mapping orders, document at w.yaml:1:1, table public.lines: the column order_id"));
  EXPECT_THAT(message, HasSubstr("ALTER TABLE \"public\".\"lines\" REPLICA IDENTITY FULL;"));
  narrow.relation.identity = testing::ReplicaIdentity::full;
  EXPECT_EQ(testing::bind_error({spec}, narrow), "accepted");
  EXPECT_THAT(testing::bind_error({spec}, Table("public.lines", {"id:integer:key", "oder_id:bigint"})),
              HasSubstr("there is no column \"order_id\""));
}

TEST(Document, TheKeyIsTheRootsIdentity) {
  EXPECT_THAT(testing::bind_error({orders(document("order:{name}"))}, root()),
              HasSubstr("the key lacks the column id"));
}

TEST(Document, ARootTakesItsKeyWithIt) {
  testing::Bound bound(root(), {document("order:{id}")});
  const std::vector<replication::Value> before = {{replication::ValueState::text, "7"},
                                                  {replication::ValueState::absent, {}}};
  const std::vector<replication::Value> now = {{replication::ValueState::text, "8"},
                                               {replication::ValueState::text, "n"}};
  replication::Change change;
  change.relation = &bound.table.relation;
  change.operation = replication::Operation::remove;
  change.old_row = before;
  (void)bound.apply(change);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK order:7"));
  change.operation = replication::Operation::update;
  change.new_row = now;
  (void)bound.apply(change);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK order:7"));
  change.old_row = {};
  (void)bound.apply(change);
  EXPECT_THAT(bound.lines(), ::testing::IsEmpty());
}

TEST(Document, OnlyWhoHasReadOneWrites) {
  WriteSpec write = document("order:{id}");
  write.parameters["ttl"].duration = std::chrono::minutes(1);
  MappingSet set({orders(std::move(write))});
  Table table = root();
  const auto writer = set.bind(table.relation);
  Batch batch;
  const std::vector<replication::Value> row = {{replication::ValueState::text, "7"},
                                               {replication::ValueState::text, "n"}};
  replication::Change change;
  change.operation = replication::Operation::insert;
  change.relation = &table.relation;
  change.new_row = row;
  (void)writer->apply(change, true, batch);
  writer->replace(row, false, batch);
  EXPECT_TRUE(batch.empty());
  writer->document(0)->write({"7"}, "{}", batch);
  writer->document(0)->write({"8"}, std::nullopt, batch);
  EXPECT_THAT(lines_of(batch), ElementsAre("SET order:7 {} PX 60000", "UNLINK order:8"));
  std::vector<Expectation> expected;
  writer->document(0)->expect({"7"}, "{}", expected);
  writer->document(0)->expect({"8"}, std::nullopt, expected);
  EXPECT_EQ(expected[0].key, "order:7");
  EXPECT_EQ(expected[0].value, "{}");
  EXPECT_EQ(expected[0].ttl, std::chrono::minutes(1));
  EXPECT_EQ(expected[1].type, Expectation::Type::none);
}

}  // namespace
}  // namespace walrelay::sinks
