// What changes of rows become as hashes and as strings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using std::chrono::milliseconds;
using testing::absent;
using testing::Bound;
using testing::commands_of;
using ::testing::ElementsAre;
using testing::hash;
using testing::including;
using ::testing::IsEmpty;
using testing::ModelRedis;
using testing::null;
using testing::Outcome;
using testing::string;
using testing::unchanged;
using testing::users;
using testing::with_ttl;

TEST(HashWrite, WritesChangesOfRows) {
  Bound bound(users(), {hash("u:{id}")});
  EXPECT_EQ(bound.apply(bound.table.insert({"1", "Ann", "{}"})), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET u:1 id 1 name Ann doc {}"));
  bound.apply(bound.table.update({"1", null, ""}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET u:1 id 1 doc ", "HDEL u:1 name"));
  bound.apply(bound.table.update({"1", null, unchanged}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET u:1 id 1", "HDEL u:1 name"));
  bound.apply(bound.table.remove({"1", absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1"));
}

TEST(HashWrite, TakesChosenColumnsUnderOtherNames) {
  WriteSpec spec = including(hash("u:{id}"), {"doc", "name"});
  spec.parameters["columns"].rename = {{"doc", "d"}};
  Bound bound(users(), {spec});
  bound.apply(bound.table.insert({"1", "Ann", "{}"}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET u:1 d {} name Ann"));
  WriteSpec without = hash("u:{id}");
  without.parameters["columns"].exclude = {"doc"};
  Bound other(users(), {without});
  EXPECT_EQ(other.apply(other.table.update({"1", "Ann", unchanged}), false), Outcome::done);  // doc is not needed
  EXPECT_THAT(other.lines(), ElementsAre("UNLINK u:1", "HSET u:1 id 1 name Ann"));
}

TEST(HashWrite, ARowOfNullsHasNoKey) {
  Bound bound(users(), {including(hash("u:{id}"), {"name", "doc"})});
  bound.apply(bound.table.update({"1", null, null}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1"));
  bound.apply(bound.table.update({"1", null, unchanged}));
  EXPECT_THAT(bound.lines(), ElementsAre("HDEL u:1 name"));
  bound.writer->replace(bound.table.row({"1", null, null}), false, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1"));
  bound.writer->replace(bound.table.row({"1", null, null}), true, bound.batch);
  EXPECT_THAT(bound.lines(), IsEmpty());
}

TEST(HashWrite, NothingToWriteIsNoCommand) {
  Bound bound(users(), {including(hash("u:{id}"), {"doc"})});
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", unchanged})), Outcome::done);
  EXPECT_TRUE(bound.batch.empty());
}

TEST(HashWrite, ExpiresWithATtl) {
  Bound bound(users(), {with_ttl(hash("u:{id}"), milliseconds(1500))});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET u:1 id 1 name Ann", "HDEL u:1 doc", "PEXPIRE u:1 1500"));
  bound.writer->replace(bound.table.row({"1", "Ann", null}), false, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1", "HSET u:1 id 1 name Ann", "PEXPIRE u:1 1500"));
  // The hash may have expired since: what is unchanged may be gone.
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", unchanged})), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
}

TEST(HashWrite, ARowThatMayHaveHadNoKeyMustSayEverything) {
  Bound bound(users(), {testing::with(hash("u:{id}"), "when", "name = 'shown'")});
  EXPECT_EQ(bound.apply(bound.table.update({"1", "shown", unchanged})), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
  bound.apply(bound.table.update({"1", "hidden", unchanged}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1"));
  Bound always(users(), {testing::with(hash("u:{id}"), "when", "id > 0")});
  EXPECT_EQ(always.apply(always.table.update({"1", "Ann", unchanged})), Outcome::done);
  EXPECT_THAT(always.lines(), ElementsAre("HSET u:1 id 1 name Ann"));
}

TEST(HashWrite, ReplacingLeavesNoStaleField) {
  Bound bound(users(), {hash("u:{id}")});
  ModelRedis redis;
  redis.apply({{"HSET", "u:1", "dropped_column", "x"}});
  bound.writer->replace(bound.table.row({"1", "Ann", null}), false, bound.batch);
  bound.apply(bound.table.update({"1", "Bob", null}));  // a later whole write keeps the removal
  redis.apply(commands_of(bound.batch));
  EXPECT_EQ(redis.keys["u:1"].hash, (std::map<std::string, std::string>{{"id", "1"}, {"name", "Bob"}}));
  bound.batch.clear();
  bound.writer->replace(bound.table.row({"1", "Ann", null}), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET u:1 id 1 name Ann"));
}

TEST(HashWrite, ALoadingTableRereadsUnchangedColumns) {
  Bound bound(users(), {hash("u:{id}")});
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", unchanged}), false), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
}

TEST(HashWrite, ALoadingTableReplacesWhatStoodThere) {
  Bound bound(users(), {hash("u:{id}"), string("n:{id}", "name")});
  EXPECT_EQ(bound.apply(bound.table.insert({"1", "Ann", null}), false), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1", "HSET u:1 id 1 name Ann", "SET n:1 Ann"));
  bound.apply(bound.table.remove({"1", absent, absent}), false);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1", "UNLINK n:1"));
}

TEST(HashWrite, AFreshRowDoesNotUndoTheRemovalOfItsNullFields) {
  Bound bound(users(), {hash("u:{id}")});
  ModelRedis redis;
  redis.apply({{"HSET", "u:1", "doc", "stale"}});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  bound.writer->replace(bound.table.row({"1", "Ann", null}), true, bound.batch);
  redis.apply(commands_of(bound.batch));
  EXPECT_FALSE(redis.keys["u:1"].hash.contains("doc"));
}

TEST(StringWrite, WritesOneColumnAsItIs) {
  Bound bound(users(), {string("u:{id}", "name")});
  bound.apply(bound.table.insert({"1", "A\"nn\r\n", "{}"}));
  EXPECT_THAT(bound.lines(), ElementsAre("SET u:1 A\"nn\r\n"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Bob", unchanged})), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("SET u:1 Bob"));
  bound.apply(bound.table.update({"1", null, "{}"}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", unchanged, "{}"})), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
  bound.writer->replace(bound.table.row({"1", "Cid", "{}"}), false, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("SET u:1 Cid"));
}

TEST(StringWrite, WritesTheRowAsJson) {
  WriteSpec spec = with_ttl(including(string("u:{id}"), {"id", "doc", "name"}), milliseconds(60000));
  spec.parameters["columns"].rename = {{"name", "n"}};
  Bound bound(users(), {spec});
  bound.apply(bound.table.insert({"1", null, "{\"a\": 1}"}));
  EXPECT_THAT(bound.lines(), ElementsAre(R"(SET u:1 {"id":1,"doc":{"a": 1},"n":null} PX 60000)"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", unchanged})), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
  bound.apply(bound.table.remove({"1", absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK u:1"));
}

}  // namespace
}  // namespace walrelay::sinks
