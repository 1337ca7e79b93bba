// Several writes of one row: key changes, rows that must be read again, refused rows, identities.
#include "sinks/relation_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "bound.h"
#include "sinks/row_identity.h"

namespace walrelay::sinks {
namespace {

using testing::absent;
using testing::Bound;
using testing::Cells;
using testing::Change;
using testing::commands_of;
using ::testing::ElementsAre;
using testing::hash;
using ::testing::HasSubstr;
using testing::if_cached;
using testing::mapping;
using testing::ModelRedis;
using testing::null;
using testing::Outcome;
using testing::string;
using testing::Table;
using testing::unchanged;
using testing::users;
using testing::with;
using testing::with_ttl;

TEST(RelationWriter, OneWriteThatNeedsTheRowHoldsBackAll) {
  Bound bound(users(), {hash("h:{id}"), string("s:{id}")});
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", unchanged})), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
  EXPECT_EQ(bound.apply(bound.table.update({"2", "Ann", unchanged}, {"1", absent, absent})), Outcome::reread);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK h:1", "UNLINK s:1"));
  bound.writer->replace(bound.table.row({"2", "Ann", "{}"}), false, bound.batch);
  EXPECT_THAT(bound.lines(),
              ElementsAre("UNLINK h:2", "HSET h:2 id 2 name Ann doc {}", R"(SET s:2 {"id":2,"name":"Ann","doc":{}})"));
}

// The stream has removed a field in this batch; a row read from the table, which lacks it too, must not undo that.
TEST(RelationWriter, AFreshRowKeepsTheRemovalOfAField) {
  Bound bound(users(), {hash("h:{id}")});
  bound.apply(bound.table.update({"1", "Ann", null}));
  bound.writer->replace(bound.table.row({"1", "Ann", null}), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET h:1 id 1 name Ann", "HDEL h:1 doc", "HSET h:1 id 1 name Ann"));
  bound.apply(bound.table.update({"1", "Ann", null}));
  bound.writer->replace(bound.table.row({"1", "Bob", "{}"}), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET h:1 id 1 name Bob doc {}"));
}

TEST(RelationWriter, AKeyChangeRemovesTheOldKey) {
  Bound bound(users(), {hash("h:{id}")});
  EXPECT_EQ(bound.apply(bound.table.update({"2", "Ann", "{}"}, {"1", absent, absent})), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK h:1", "HSET h:2 id 2 name Ann doc {}"));
  // Under the new key nothing stands that could be kept.
  EXPECT_EQ(bound.apply(bound.table.update({"2", "Ann", unchanged}, {"1", absent, absent})), Outcome::reread);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK h:1"));
}

TEST(RelationWriter, AnOldRowWithTheSameKeyIsNoKeyChange) {
  Bound bound(Table("public.t", {"a:text:key", "b:text:key", "c:text"}), {hash("{a}:{b}")});
  EXPECT_EQ(bound.apply(bound.table.update({"x:y", "z", unchanged}, {"x", "y:z", absent})), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET x:y:z a x:y b z"));
}

TEST(RelationWriter, AnUnchangedIdentityColumnComesFromTheOldRow) {
  // The server sends the key when one of its columns is TOASTed.
  Bound bound(Table("public.t", {"id:text:key", "name:text"}), {hash("k:{id}")});
  EXPECT_EQ(bound.apply(bound.table.update({unchanged, "Ann"}, {"long", absent})), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET k:long id long name Ann"));
  EXPECT_THROW(bound.apply(bound.table.update({unchanged, "Ann"})), RowError);
  EXPECT_TRUE(bound.batch.empty());
}

TEST(RelationWriter, FullIdentityGivesUnchangedValues) {
  Bound bound(users().full(), {hash("h:{id}"), string("s:{id}")});
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Bob", unchanged}, {"1", "Ann", "[1]"})), Outcome::done);
  EXPECT_THAT(bound.lines(),
              ElementsAre("HSET h:1 id 1 name Bob doc [1]", R"(SET s:1 {"id":1,"name":"Bob","doc":[1]})"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", "Bob", unchanged}, {"1", "Ann", "[1]"}), false), Outcome::done);
  bound.batch.clear();  // nothing had to be read again
  EXPECT_EQ(bound.apply(bound.table.update({"2", "Bob", unchanged}, {"1", "Ann", "[1]"})), Outcome::done);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK h:1", "UNLINK s:1", "HSET h:2 id 2 name Bob doc [1]",
                                         R"(SET s:2 {"id":2,"name":"Bob","doc":[1]})"));
  bound.apply(bound.table.remove({"2", "Bob", "[1]"}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK h:2", "UNLINK s:2"));
}

TEST(RelationWriter, UnderFullAnyColumnMayMoveTheKey) {
  Bound bound(users().full(), {hash("h:{id}:{name}"), hash("i:{id}")});
  bound.apply(bound.table.update({"1", "Bob", null}, {"1", "Ann", null}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK h:1:Ann", "HSET h:1:Bob id 1 name Bob", "HDEL h:1:Bob doc",
                                         "HSET i:1 id 1 name Bob", "HDEL i:1 doc"));
  // A row with a NULL in the key was never written.
  bound.apply(bound.table.update({"1", "Bob", "{}"}, {"1", null, "{}"}));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET h:1:Bob id 1 name Bob doc {}", "HSET i:1 id 1 name Bob doc {}"));
  bound.apply(bound.table.remove({"1", null, "{}"}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK i:1"));
}

TEST(RelationWriter, AllRemovalsComeBeforeAllWrites) {
  // The new key of the first write is the old key of the second.
  Bound bound(Table("public.t", {"id:integer:key", "a:text", "b:text"}).full(), {hash("{id}:{a}"), hash("{id}:{b}")});
  ModelRedis redis;
  bound.apply(bound.table.insert({"1", "x", "y"}));
  bound.apply(bound.table.update({"1", "y", "z"}, {"1", "x", "y"}));
  redis.apply(commands_of(bound.batch));
  EXPECT_EQ(redis.keys.size(), 2U);
  EXPECT_TRUE(redis.keys.contains("1:y") && redis.keys.contains("1:z"));
}

TEST(RelationWriter, ANullInAKeyIsARowErrorBeforeAnythingIsAppended) {
  Bound bound(users().full(), {hash("h:{id}"), hash("n:{id}:{name}")});
  for (const Change& change :
       {bound.table.insert({"1", null, "{}"}), bound.table.update({"1", null, "{}"}, {"1", "Ann", "{}"})}) {
    try {
      bound.apply(change);
      FAIL() << "accepted";
    } catch (const RowError& error) {
      EXPECT_THAT(error.what(), HasSubstr("mapping m, table public.users, hash: column name is NULL"));
    }
    EXPECT_TRUE(bound.batch.empty());
  }
  EXPECT_THROW(bound.writer->replace(bound.table.row({"1", null, "{}"}), false, bound.batch), RowError);
  EXPECT_TRUE(bound.batch.empty());
}

TEST(RelationWriter, IdentityBytesAreInjective) {
  Bound bound(Table("public.t", {"a:text:key", "v:text", "b:text:key"}), {hash("{a}:{b}")});
  const std::vector<std::string> texts{
      "", "a", "b", "ab", std::string(1, '\0'), std::string(4, '\0'), "\xFF\xFF\xFF\xFF"};
  std::set<std::string> seen;
  std::vector<testing::Cell> cells{null};
  for (const std::string& text : texts) cells.emplace_back(text);
  for (const auto& a : cells) {
    for (const auto& b : cells) {
      std::string identity, other;
      bound.writer->append_identity(bound.table.row({a, "x", b}), identity);
      bound.writer->append_identity(bound.table.row({a, absent, b}), other);
      EXPECT_EQ(identity, other);  // old and new rows
      EXPECT_TRUE(seen.insert(identity).second);
    }
  }
}

TEST(RelationWriter, IdentityUnderFullIsThePrimaryKeyOrTheKeysColumns) {
  const auto identity = [](Table table, const std::string& key, const Cells& row) {
    Bound bound(std::move(table), {hash(key)});
    std::string bytes;
    bound.writer->append_identity(bound.table.row(row), bytes);
    return bytes;
  };
  EXPECT_EQ(identity(users().full(), "{id}:{name}", {"1", "Ann", "{}"}),
            identity(users().full(), "{id}:{name}", {"1", "Bob", unchanged}));
  const Table heap = Table("public.log", {"at:text", "line:text", "more:text"}).full();
  EXPECT_EQ(identity(heap, "{at}:{line}", {"1", "x", "y"}), identity(heap, "{at}:{line}", {"1", "x", unchanged}));
  EXPECT_NE(identity(heap, "{at}:{line}", {"1", "x", "y"}), identity(heap, "{at}:{line}", {"1", "y", "y"}));
}

// A key says only a part of the identity where there are several keys and no primary key.
TEST(RelationWriter, APartOfAnIdentityFindsItsRow) {
  Bound bound(Table("public.log", {"a:text", "b:text", "c:text"}).full(), {hash("{a}"), hash("{b}")});
  const auto identity = [&](const Cells& row) {
    std::string bytes;
    bound.writer->append_identity(bound.table.row(row), bytes);
    return bytes;
  };
  const std::string whole = identity({"1", "x", "c"});
  EXPECT_TRUE(is_whole_identity(whole));
  EXPECT_TRUE(is_whole_identity(identity({"1", null, "c"})));
  EXPECT_FALSE(is_whole_identity(identity({"1", absent, absent})));
  EXPECT_TRUE(may_be_same_row(whole, whole));
  EXPECT_TRUE(may_be_same_row(identity({"1", absent, absent}), whole));
  EXPECT_TRUE(may_be_same_row(identity({absent, "x", absent}), whole));
  EXPECT_FALSE(may_be_same_row(identity({"2", absent, absent}), whole));
  EXPECT_FALSE(may_be_same_row(identity({absent, "xx", absent}), whole));
  EXPECT_FALSE(may_be_same_row(identity({absent, null, absent}), whole));
  EXPECT_FALSE(may_be_same_row(identity({"1", absent, absent}), identity({null, "1", absent})));
}

TEST(RelationWriter, MakesKeysOfTheirColumnsAlone) {
  Bound bound(users().full(), {hash("h:{name}:{id}"), hash("i:{id}:{id}")});
  EXPECT_THAT(bound.writer->place_columns(0), ElementsAre(0U, 1U));
  EXPECT_THAT(bound.writer->place_columns(1), ElementsAre(0U));
  std::string key = "before ";
  EXPECT_TRUE(bound.writer->append_place(0, bound.table.row({"1", "Ann", absent}), key));
  EXPECT_TRUE(bound.writer->append_place(1, bound.table.row({"1", absent, absent}), key));
  EXPECT_EQ(key, "before h:Ann:1i:1:1");
  for (const auto& missing : {null, absent, unchanged}) {
    EXPECT_FALSE(bound.writer->append_place(0, bound.table.row({missing, "Ann", "{}"}), key));
  }
  EXPECT_EQ(key, "before h:Ann:1i:1:1");
}

TEST(RelationWriter, ReadsKeysBack) {
  Bound bound(users().full(), {hash("h:{name}:{id}"), hash("i:{id}")});
  std::vector<KeyReading> readings;
  EXPECT_TRUE(bound.writer->readings(0, "h:a:b:7", 8, readings));
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_THAT(readings[0].columns, ElementsAre(std::pair(0U, "7"), std::pair(1U, "a:b")));
  EXPECT_TRUE(bound.writer->readings(1, "h:a:b:7", 8, readings));
  EXPECT_TRUE(readings.empty());
  EXPECT_FALSE(bound.writer->readings(1, "i:7", 0, readings));
}

TEST(RelationWriter, ExpectsNothingOfARowThatCannotBeWritten) {
  Bound bound(users().full(), {hash("h:{id}"), hash("n:{id}:{name}")});
  std::vector<Expectation> expectations;
  EXPECT_THROW(bound.writer->expect(bound.table.row({"1", null, "{}"}), expectations), RowError);
  EXPECT_TRUE(expectations.empty());
  bound.writer->expect(bound.table.row({"1", "Ann", "{}"}), expectations);
  bound.writer->expect(bound.table.row({"2", "Bob", null}), expectations);  // appends
  ASSERT_EQ(expectations.size(), 4U);
  EXPECT_EQ(expectations[3].key, "n:2:Bob");
}

// Where the row's word and what stands there are the same, is nothing left to do?
TEST(RelationWriter, TellsWhichRowsNeedNotBeWrittenWhereTheyAreTheSame) {
  using std::chrono::seconds;
  const auto comparable = [](std::vector<WriteSpec> writes) {
    return Bound(users().full(), std::move(writes)).writer->comparable();
  };
  const WriteSpec set = with(with({"set", {}, ""}, "key", "names"), "member", "{id}");
  const WriteSpec told = with({"publish", {}, ""}, "channel", "users");
  EXPECT_TRUE(comparable({hash("h:{id}")}));
  EXPECT_TRUE(comparable({hash("h:{id}"), string("s:{id}"), told}));
  EXPECT_FALSE(comparable({hash("h:{id}"), with_ttl(string("s:{id}"), seconds(9))})) << "the time begins anew";
  EXPECT_FALSE(comparable({if_cached(hash("h:{id}"))}));
  EXPECT_FALSE(comparable({with(hash("h:{id}"), "track", "redis")})) << "the note may be gone";
  EXPECT_FALSE(comparable({hash("h:{id}"), set}));
  EXPECT_FALSE(comparable({told})) << "there is nothing to read";
}

}  // namespace
}  // namespace walrelay::sinks
