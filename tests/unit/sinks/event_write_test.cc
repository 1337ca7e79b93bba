// What is common to the kinds that tell of changes: once, at the change, and never of a row that is read.
#include "sinks/event_write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WriteSpec publish(const std::string& channel, const std::string& message = "") {
  WriteSpec spec{"publish", {{"channel", text_parameter(channel)}}, ""};
  if (!message.empty()) spec.parameters["message"] = text_parameter(message);
  return spec;
}

WriteSpec with_when(WriteSpec spec, const std::string& condition) {
  spec.parameters["when"] = text_parameter(condition);
  return spec;
}

WriteSpec told_on(WriteSpec spec, std::vector<std::string> changes) {
  spec.parameters["on"].include = std::move(changes);
  return spec;
}

TEST(PublishTest, EachChangeIsAMessage) {
  Bound bound(users().full(), {publish("users:{id}", "{id}={name}")});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  bound.apply(bound.table.update({"1", "Bo", null}, {"1", "Ann", null}));
  bound.apply(bound.table.update({"1", null, null}, {"1", "Bo", null}));
  bound.apply(bound.table.remove({"1", "Cy", null}));
  EXPECT_THAT(bound.lines(), ElementsAre("PUBLISH users:1 1=Ann", "PUBLISH users:1 1=Bo",
                                         "PUBLISH users:1 1=", "PUBLISH users:1 1=Cy"));
}

TEST(PublishTest, TheRowAsJsonOfTheColumnsThatAreKnown) {
  Bound bound(users(), {publish("users")});
  bound.apply(bound.table.insert({"1", "Ann", R"({"a":1})"}));
  bound.apply(bound.table.update({"1", "Bo", unchanged}));
  bound.apply(bound.table.remove({"1", absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre(R"(PUBLISH users {"id":1,"name":"Ann","doc":{"a":1}})",
                                         R"(PUBLISH users {"id":1,"name":"Bo"})", R"(PUBLISH users {"id":1})"));
}

// Of a deleted row the numbers are those of that row, whatever came before.
TEST(PublishTest, ALetIsWhatItsOwnRowMakesOfIt) {
  auto spec = mapping("m", "users", {including(publish("users"), {"id", "one"})});
  spec.let = {{"one", "CASE name WHEN 'n' THEN 1 ELSE '1' END"}};
  Table table = users().full();
  MappingSet set({spec});
  const auto writer = set.bind(table.relation);
  Batch batch;
  writer->apply(table.insert({"1", "n", null}), true, batch);
  writer->apply(table.remove({"2", "t", null}), true, batch);
  writer->apply(table.remove({"3", "n", null}), true, batch);
  EXPECT_THAT(lines_of(batch), ElementsAre(R"(PUBLISH users {"id":1,"one":1})", R"(PUBLISH users {"id":2,"one":"1"})",
                                           R"(PUBLISH users {"id":3,"one":1})"));
}

TEST(PublishTest, OrderIsKeptAndNothingIsCoalesced) {
  Bound bound(users(), {publish("users", "{id}"), hash("user:{id}")});
  for (int i = 0; i < 3; ++i) bound.apply(bound.table.insert({"1", null, null}));
  const auto lines = bound.lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "PUBLISH users 1"), 3);
}

TEST(PublishTest, OnlyTheChangesThatAreAskedFor) {
  Bound bound(users(), {told_on(publish("users", "{id}"), {"insert", "delete"})});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  bound.apply(bound.table.update({"2", "Ann", null}));
  bound.apply(bound.table.remove({"3", absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("PUBLISH users 1", "PUBLISH users 3"));
}

TEST(PublishTest, OnlyRowsForWhichTheConditionIsTrue) {
  Bound bound(users().full(), {with_when(publish("users", "{id}"), "name = 'Ann'")});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  bound.apply(bound.table.insert({"2", "Bo", null}));
  bound.apply(bound.table.update({"3", "Ann", null}, {"3", "Bo", null}));
  bound.apply(bound.table.update({"4", null, null}, {"4", "Ann", null}));
  bound.apply(bound.table.remove({"5", "Ann", null}));
  bound.apply(bound.table.remove({"6", "Bo", null}));
  EXPECT_THAT(bound.lines(), ElementsAre("PUBLISH users 1", "PUBLISH users 3", "PUBLISH users 5"));
}

// Not to know is no reason to lose it.
TEST(PublishTest, ToldWhereTheConditionCannotBeComputed) {
  Bound bound(users(), {told_on(with_when(publish("users", "{id}"), "doc->>'a' = '1'"), {"insert", "update"})});
  bound.apply(bound.table.update({"1", "Ann", unchanged}));
  EXPECT_THAT(bound.lines(), ElementsAre("PUBLISH users 1"));
}

TEST(PublishTest, AChannelNeedsAText) {
  Bound bound(users().full(), {publish("users:{name}", "{id}"), hash("user:{id}")});
  EXPECT_THROW(bound.apply(bound.table.insert({"1", null, null})), RowError);
  EXPECT_THAT(bound.lines(), IsEmpty()) << "no half of a row";
}

TEST(EventWriteTest, ARowThatIsReadIsNoChange) {
  Bound bound(users(), {publish("users", "{id}")});
  bound.writer->replace(bound.table.row({"1", "Ann", null}), false, bound.batch);
  bound.writer->remove(bound.table.row({"1", absent, absent}), bound.batch);
  EXPECT_THAT(bound.lines(), IsEmpty());
  EXPECT_FALSE(bound.writer->keeps_rows());
  std::vector<Expectation> expected;
  bound.writer->expect(bound.table.row({"1", "Ann", null}), expected);
  ASSERT_EQ(expected.size(), 1U);
  EXPECT_TRUE(expected[0].skip);
}

TEST(EventWriteTest, OwnsNoKey) {
  Bound bound(users(), {publish("users", "{id}"), hash("user:{id}")});
  EXPECT_TRUE(bound.writer->keeps_rows());
  const auto& owned = bound.writer->owned();
  ASSERT_EQ(owned.size(), 2U);
  EXPECT_TRUE(owned[0].none_at_all());
  EXPECT_FALSE(owned[0].owns("users"));
  EXPECT_EQ(writes_of(owned), std::vector<std::uint32_t>{owned[1].write});
  ASSERT_EQ(bound.writer->truncated().size(), 1U);
  EXPECT_EQ(bound.writer->truncated()[0].write, owned[1].write);
  std::vector<KeyReading> readings(1);
  EXPECT_TRUE(bound.writer->readings(0, "users", 10, readings));
  EXPECT_TRUE(readings.empty());
}

// A row that must be read again: told at once with what is known, and not again when it was read.
TEST(EventWriteTest, ToldOnceWhereARowMustBeReadAgain) {
  for (const bool keep_unchanged : {true, false}) {
    Bound bound(users(), {string("doc:{id}", "doc"), publish("users")});
    EXPECT_EQ(bound.apply(bound.table.update({"1", "Bo", unchanged}), keep_unchanged), Outcome::reread);
    EXPECT_THAT(bound.lines(), ElementsAre(R"(PUBLISH users {"id":1,"name":"Bo"})"));
    bound.writer->replace(bound.table.row({"1", "Bo", "{}"}), false, bound.batch);
    EXPECT_THAT(bound.lines(), ElementsAre("SET doc:1 {}"));
  }
}

// While a table is being loaded rows are written as if they were read, and are changes all the same.
TEST(EventWriteTest, ToldWhileTheTableIsBeingLoaded) {
  Bound bound(users(), {publish("users", "{id}")});
  EXPECT_EQ(bound.apply(bound.table.insert({"1", "Ann", null}), false), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("PUBLISH users 1"));
}

// The change of a row whose entries are dealt with otherwise.
TEST(EventWriteTest, TellSaysNothingElse) {
  Bound bound(users(), {hash("user:{id}"), publish("users", "{id}")});
  bound.writer->tell(bound.table.update({"1", "Ann", unchanged}), bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("PUBLISH users 1"));
}

TEST(EventWriteTest, ADeleteMustSayWhatIsTold) {
  const auto said = [](WriteSpec spec) { return bind_error({mapping("m", "users", {std::move(spec)})}, users()); };
  EXPECT_THAT(said(publish("users:{name}")), HasSubstr("the channel uses name, outside the table's replica identity"));
  EXPECT_THAT(said(publish("users", "{name}")), HasSubstr("REPLICA IDENTITY FULL; or leave those changes out: on: "));
  EXPECT_THAT(said(with_when(publish("users"), "name = 'x'")), HasSubstr("the condition reads name"));
  EXPECT_EQ(said(told_on(publish("users:{name}", "{name}"), {"insert", "update"})), "accepted");
  EXPECT_EQ(said(publish("users:{id}")), "accepted");
}

}  // namespace
}  // namespace walrelay::sinks::testing
