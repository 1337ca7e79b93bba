#include "sidecar/rereads.h"

#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using replication::Value;
using replication::ValueState;

Value text(std::string_view value) { return {ValueState::text, value}; }
const Value kNull{ValueState::null, {}};
const Value kUnchanged{ValueState::unchanged, {}};

TEST(RereadNote, IsReadBackWhateverTheBytes) {
  const RowKey key = {{"id", "7"}, {"odd:name", std::string("a\0b:3:c", 7)}, {"missing", std::nullopt}, {"empty", ""}};
  const std::string note = to_note("public", "we:ird", key);
  const auto read = parse_note(note);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->schema, "public");
  EXPECT_EQ(read->table, "we:ird");
  EXPECT_EQ(read->key, key);
}

TEST(RereadNote, EveryPrefixIsRefusedOrShorter) {
  const std::string note = to_note("s", "t", {{"id", "42"}, {"b", std::nullopt}});
  for (std::size_t size = 0; size < note.size(); ++size) {
    const auto read = parse_note(std::string_view(note).substr(0, size));
    if (read) {
      EXPECT_LT(read->key.size(), 2U) << size;
    }
  }
}

TEST(RereadWhere, QuotesNamesAndValues) {
  const RowKey one = {{"id", "1"}, {"we\"ird", "o'clock"}};
  const RowKey two = {{"id", "2"}, {"we\"ird", std::nullopt}};
  EXPECT_EQ(where_clause({&one, &two}),
            "(\"id\" = '1' AND \"we\"\"ird\" = 'o''clock') OR (\"id\" = '2' AND \"we\"\"ird\" IS NULL)");
}

TEST(Reread, TakesOnlyWhatIsMissingFromTheTable) {
  Reread reread(1, {{"id", "1"}}, "note", 5);
  const std::vector<Value> first = {text("1"), text("a"), kUnchanged, kUnchanged};
  reread.merge(first);
  const std::vector<Value> second = {text("1"), kUnchanged, kNull, kUnchanged};
  reread.merge(second);
  EXPECT_FALSE(reread.complete());
  const std::vector<Value> table = {text("1"), text("older"), text("older"), text("big")};
  reread.fill(table);
  ASSERT_TRUE(reread.complete());
  const auto values = reread.values();
  EXPECT_EQ(values[1].text, "a");
  EXPECT_EQ(values[2].state, ValueState::null);
  EXPECT_EQ(values[3].text, "big");
}

TEST(Reread, ForgettingStartsFromNothing) {
  Reread reread(1, {{"id", "1"}}, "note", 5);
  const std::vector<Value> row = {text("1"), kUnchanged};
  reread.merge(row);
  reread.forget(9);
  EXPECT_EQ(reread.first_chunk, 9U);
  EXPECT_FALSE(reread.complete());
  const std::vector<Value> table = {text("1"), text("x"), text("y")};
  reread.fill(table);
  EXPECT_EQ(reread.values().size(), 3U);
}

TEST(Rereads, TakesRowsOfOneTableThatNobodyReads) {
  Rereads rereads;
  rereads.add(1, "a", {{"id", "1"}}, "n1", 0);
  rereads.add(1, "b", {{"id", "2"}}, "n2", 0);
  rereads.add(2, "c", {{"id", "3"}}, "n3", 0);
  replication::Oid table = 0;
  const auto first = rereads.take(10, table);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(table, 1U);
  EXPECT_EQ(first[0].first, "a");
  const auto second = rereads.take(10, table);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(table, 2U);
  EXPECT_TRUE(rereads.take(10, table).empty());
}

TEST(Reread, TakesEverythingFromTheTableWhereNothingIsNewer) {
  Reread reread(1, {}, "n", 0);
  const std::vector<Value> row = {text("1"), text("old"), kUnchanged}, table = {text("1"), text("new"), text("y")};
  reread.merge(row);
  reread.replace(table);
  ASSERT_EQ(reread.values().size(), 3U);
  EXPECT_EQ(reread.values()[1].text, "new");
  EXPECT_TRUE(reread.complete());
}

TEST(Rereads, HoldUntilTheLastOfThemIsGone) {
  Rereads rereads;
  std::string told;
  rereads.on_held = [&told](bool held) { told += held ? '+' : '-'; };
  Reread& first = rereads.add(1, "a", {{"id", "1"}}, "n1", 0);
  rereads.hold(first);
  rereads.hold(first);
  rereads.hold(rereads.add(1, "b", {{"id", "2"}}, "n2", 0));
  rereads.add(1, "c", {{"id", "3"}}, "n3", 0);
  EXPECT_EQ(told, "+");
  // The table is about to be read: those that hold stay, for chunks that are opened from now on.
  EXPECT_EQ(rereads.supersede_table(1, 5), std::vector<std::string>{"n3"});
  EXPECT_EQ(rereads.find(1, "a")->first_chunk, 5U);
  rereads.erase(1, "a");
  EXPECT_EQ(told, "+");
  EXPECT_EQ(rereads.drop_table(1), std::vector<std::string>{"n2"});
  EXPECT_EQ(told, "+-");
}

TEST(Rereads, ATruncatedTableGivesItsNotes) {
  Rereads rereads;
  rereads.add(1, "a", {{"id", "1"}}, "n1", 0);
  rereads.add(2, "c", {{"id", "3"}}, "n3", 0);
  EXPECT_EQ(rereads.drop_table(1), std::vector<std::string>{"n1"});
  EXPECT_EQ(rereads.size(), 1U);
  EXPECT_NE(rereads.find(2, "c"), nullptr);
}

}  // namespace
}  // namespace walrelay::sidecar
