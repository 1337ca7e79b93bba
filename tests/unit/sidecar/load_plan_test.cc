#include "sidecar/load_plan.h"

#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

replication::TableInfo users() {
  replication::TableInfo info;
  info.oid = 42;
  info.schema = "public";
  info.name = "users";
  info.columns = {{"id", 23, -1, true, true, false}, {"name", 25, -1, false, false, false}};
  return info;
}

TableLoad planned(const std::string& cursor, std::uint64_t step = 10) {
  TableLoad load(users(), {}, cursor, step);
  load.plan({{"public", "a", "101", "201", 25}, {"public", "b", "102", "202", 0}});
  return load;
}

TEST(LoadPlan, CutsEveryLeafIntoRangesWithAnOpenEnd) {
  auto load = planned("");
  std::vector<std::string> seen;
  while (auto range = load.take()) {
    seen.push_back(load.leaf(range->leaf).name + " " + range->where());
    load.finished(*range);
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"a ctid >= '(0,0)' AND ctid < '(10,0)'", "a ctid >= '(10,0)' AND ctid < '(20,0)'",
                                      "a ctid >= '(20,0)'", "b ctid >= '(0,0)'"}));
  EXPECT_TRUE(load.done());
  EXPECT_EQ(load.cursor(), load.done_cursor());
  EXPECT_TRUE(is_loaded(load.cursor(), users()));
}

TEST(LoadPlan, TheCursorStopsBeforeTheFirstHole) {
  auto load = planned("");
  const auto first = *load.take();
  const auto second = *load.take();
  load.finished(second);
  EXPECT_NE(load.cursor().find(";101;201;0"), std::string::npos) << load.cursor();
  load.finished(first);
  EXPECT_NE(load.cursor().find(";101;201;20"), std::string::npos) << load.cursor();
}

TEST(LoadPlan, WorkThatWasGivenBackIsTakenAgain) {
  auto load = planned("");
  const auto first = *load.take();
  const auto second = *load.take();
  load.finished(second);
  load.give_back(first);
  EXPECT_NE(load.cursor().find(";101;201;0"), std::string::npos) << load.cursor();
  EXPECT_FALSE(load.done());
  EXPECT_EQ(load.take()->where(), first.where());
}

TEST(LoadPlan, ResumesAtItsCursorOnlyOnTheSameFile) {
  auto load = planned("");
  for (int i = 0; i < 2; ++i) load.finished(*load.take());
  const std::string cursor = load.cursor();
  EXPECT_EQ(planned(cursor).take()->from, 20U);
  TableLoad moved(users(), {}, cursor, 10);
  moved.plan({{"public", "a", "101", "999", 25}});
  EXPECT_EQ(moved.take()->from, 0U);
}

TEST(LoadPlan, AnotherShapeOfTheTableMakesTheCursorWorthless) {
  auto changed = users();
  changed.columns.push_back({"email", 25, -1, false, false, false});
  auto load = planned("");
  while (auto range = load.take()) load.finished(*range);
  EXPECT_FALSE(is_loaded(load.cursor(), changed));
  auto other = users();
  other.oid = 43;
  EXPECT_FALSE(is_loaded(load.cursor(), other));
}

TEST(LoadPlan, ARewrittenTableStartsAgain) {
  auto load = planned("");
  load.finished(*load.take());
  load.restart();
  EXPECT_TRUE(load.has_work());
  EXPECT_FALSE(load.done());
  load.plan({{"public", "a", "101", "300", 5}});
  EXPECT_EQ(load.take()->where(), "ctid >= '(0,0)'");
}

TEST(LoadPlan, GarbageCursorsStartFromTheBeginning) {
  for (const char* cursor : {"at", "at;;;;;", "at;1;42;101;201;x", "done", "nonsense;;;;;;;"}) {
    EXPECT_EQ(planned(cursor).take()->from, 0U) << cursor;
  }
}

TEST(LoadPlan, OnlyARewriteByAlterTableMakesALoadedTableUnread) {
  auto info = users();
  info.files = "201 ";
  info.columns[1].defined_by = "700";
  const std::string cursor = TableLoad(info, {}, "", 1).done_cursor();
  EXPECT_TRUE(is_loaded(cursor, info));
  auto truncated = info;
  truncated.files = "300 ";
  EXPECT_TRUE(is_loaded(cursor, truncated));
  auto given_a_default = info;
  given_a_default.columns[1].defined_by = "800";
  EXPECT_TRUE(is_loaded(cursor, given_a_default));
  auto rewritten = truncated;
  rewritten.columns[1].defined_by = "800";
  EXPECT_FALSE(is_loaded(cursor, rewritten));
}

TEST(LoadPlan, ACursorNamesItsTable) {
  const auto load = planned("");
  EXPECT_EQ(owner_of_cursor(unread_cursor(users())), 42U);
  EXPECT_EQ(owner_of_cursor(load.done_cursor()), 42U);
  EXPECT_EQ(owner_of_cursor(load.cursor()), 42U);
  for (const char* cursor : {"", "done", "at;1", "at;1;x;2"}) EXPECT_EQ(owner_of_cursor(cursor), 0U) << cursor;
  EXPECT_FALSE(is_loaded(unread_cursor(users()), users()));
  EXPECT_EQ(planned(unread_cursor(users())).take()->from, 0U);
}

TEST(Signature, ChangesWhenAColumnIsDroppedAndAddedAgain) {
  auto again = users();
  again.columns[1].number = 7;
  EXPECT_NE(signature(again), signature(users()));
}

TEST(Signature, ChangesWithColumnsTypesAndIdentity) {
  const std::string before = signature(users());
  auto type = users();
  type.columns[1].type_oid = 1043;
  auto identity = users();
  identity.identity = replication::ReplicaIdentity::full;
  auto generated = users();
  generated.columns.push_back({"g", 25, -1, false, false, true});
  EXPECT_NE(signature(type), before);
  EXPECT_NE(signature(identity), before);
  EXPECT_EQ(signature(generated), before);
}

}  // namespace
}  // namespace walrelay::sidecar
