// stream: the commands of changes. What the script does with them is tested against a real Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"
#include "sinks/stream_script.h"

namespace walrelay::sinks::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WriteSpec stream(const std::string& key) { return {"stream", {{"key", text_parameter(key)}}, ""}; }
WriteSpec of_changes(WriteSpec spec) {
  spec.parameters["event"] = text_parameter("change");
  return spec;
}

const replication::Transaction kTransaction{731, replication::Lsn{5000}, 1770285600500000, "sys/1"};

Change in_transaction(Change change, std::uint64_t number) {
  change.transaction = &kTransaction;
  change.number = number;
  return change;
}

// Without the command's name and the script's: "<key> <state> <origin> <lsn> <number> <maxlen> field value ...".
std::vector<std::string> entries(Bound& bound) {
  std::vector<std::string> all;
  const std::string call = "EVALSHA " + stream_script().sha() + " 1 ";
  for (const std::string& line : bound.lines()) {
    all.push_back(line.starts_with(call) ? line.substr(call.size()) : "not the script: " + line);
  }
  return all;
}

TEST(StreamTest, TheRowsColumnsAreFields) {
  Bound bound(users(), {stream("log")});
  bound.apply(in_transaction(bound.table.insert({"1", "Ann", null}), 1));
  bound.apply(in_transaction(bound.table.update({"1", "Bo", unchanged}), 2));
  bound.apply(in_transaction(bound.table.remove({"1", absent, absent}), 3));
  EXPECT_THAT(entries(bound), ElementsAre("log walrelay:{walrelay}:stream:log sys/1 5000 1  id 1 name Ann",
                                          "log walrelay:{walrelay}:stream:log sys/1 5000 2  id 1 name Bo",
                                          "log walrelay:{walrelay}:stream:log sys/1 5000 3  id 1"));
}

TEST(StreamTest, AnEntryHasAField) {
  Bound bound(users(), {including(stream("log"), {"name", "doc"})});
  bound.apply(in_transaction(bound.table.insert({"1", null, null}), 1));
  EXPECT_THAT(entries(bound), ElementsAre("log walrelay:{walrelay}:stream:log sys/1 5000 1  name "));
}

TEST(StreamTest, TheChangeItself) {
  WriteSpec spec = of_changes(stream("log:{id}"));
  spec.parameters["maxlen"].number = 1000;
  Bound bound(users(), {including(spec, {"id", "name"})});
  bound.apply(in_transaction(bound.table.update({"2", "Bo", null}, {"1", absent, absent}), 7));
  bound.apply(in_transaction(bound.table.remove({"2", absent, absent}), 8));
  const std::string common = " table public.users lsn 0/1388 xid 731 time 2026-02-05T10:00:00.500000Z ";
  EXPECT_THAT(entries(bound), ElementsAre("log:2 walrelay:{walrelay}:stream:log:2 sys/1 5000 7 1000 op update" +
                                              common + R"(before {"id":1} after {"id":2,"name":"Bo"})",
                                          "log:2 walrelay:{walrelay}:stream:log:2 sys/1 5000 8 1000 op delete" +
                                              common + R"(before {"id":2})"));
}

TEST(StreamTest, ATruncateIsAnEntryWhereTheStreamIsKnown) {
  Bound bound(users(), {of_changes(stream("log")), of_changes(stream("log:{id}")), stream("rows")});
  Change truncate;
  truncate.relation = &bound.table.relation;
  bound.writer->tell_truncate(in_transaction(truncate, 4), bound.batch);
  EXPECT_THAT(entries(bound), ElementsAre("log walrelay:{walrelay}:stream:log sys/1 5000 12  op truncate table "
                                          "public.users lsn 0/1388 xid 731 time 2026-02-05T10:00:00.500000Z"));
}

// Two entries of one change may be of one stream: they need two ids, and the order of all stays that of the changes.
TEST(StreamTest, SeveralStreamsOfATableShareItsNumbersOut) {
  Bound bound(users(), {stream("a"), stream("b")});
  bound.apply(in_transaction(bound.table.insert({"1", null, null}), 3));
  bound.apply(in_transaction(bound.table.insert({"2", null, null}), 4));
  const auto all = entries(bound);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_THAT(all[0], HasSubstr(" 5000 6 "));
  EXPECT_THAT(all[1], HasSubstr(" 5000 7 "));
  EXPECT_THAT(all[2], HasSubstr(" 5000 8 "));
  EXPECT_THAT(all[3], HasSubstr(" 5000 9 "));
}

// Of mappings that may have one table: those of its name, and those with a pattern.
TEST(StreamTest, NumbersAreSharedOutAlikeInEveryTable) {
  auto pattern = mapping("p", "", {stream("all")});
  pattern.tables = "^public\\.";
  MappingSet set({mapping("a", "users", {stream("a")}), mapping("b", "public.users", {stream("b")}),
                  mapping("c", "orders", {stream("c")}), pattern});
  Table orders("public.orders", {"id:integer:key"});
  const auto writer = set.bind(orders.relation);
  Batch batch;
  writer->apply(in_transaction(orders.insert({"1"}), 5), true, batch);
  const auto lines = lines_of(batch);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr(" 5000 15 "));
  EXPECT_THAT(lines[1], HasSubstr(" 5000 16 "));
}

TEST(StreamTest, WhatIsRefused) {
  const auto said = [](WriteSpec spec) { return bind_error({mapping("m", "users", {std::move(spec)})}, users()); };
  EXPECT_THAT(said(stream("log:{name}")), HasSubstr("the key uses name"));
  WriteSpec none = stream("log");
  none.parameters["maxlen"].number = 0;
  EXPECT_THROW(MappingSet({mapping("m", "users", {none})}), MappingError);
}

}  // namespace
}  // namespace walrelay::sinks::testing
