// What changes of rows become, for hashes and strings.
#include "sinks/relation_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "model_redis.h"
#include "specs.h"
#include "tables.h"

namespace walrelay::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Lines = std::vector<std::string>;
using Outcome = RelationWriter::Outcome;
using std::chrono::milliseconds;
using testing::absent;
using testing::Cells;
using testing::Change;
using testing::commands_of;
using testing::hash;
using testing::including;
using testing::lines_of;
using testing::mapping;
using testing::ModelRedis;
using testing::null;
using testing::string;
using testing::Table;
using testing::unchanged;
using testing::with_ttl;

// One table, its writes, and the batch that they fill.
struct Bench {
  explicit Bench(Table bound, std::vector<WriteSpec> writes)
      : table(std::move(bound)), set({mapping("m", table.relation.qualified(), std::move(writes))}) {
    writer = set.bind(table.relation);
  }
  Lines lines() {
    Lines all = lines_of(batch);
    batch.clear();
    return all;
  }
  Outcome apply(const Change& change, bool keep_unchanged = true) {
    return writer->apply(change, keep_unchanged, batch);
  }

  Table table;
  MappingSet set;
  std::unique_ptr<RelationWriter> writer;
  Batch batch;
};

Table users() { return {"public.users", {"id:integer:key", "name:text", "doc:jsonb"}}; }

TEST(HashWrite, WritesChangesOfRows) {
  Bench bench(users(), {hash("u:{id}")});
  EXPECT_EQ(bench.apply(bench.table.insert({"1", "Ann", "{}"})), Outcome::done);
  EXPECT_THAT(bench.lines(), ElementsAre("HSET u:1 id 1 name Ann doc {}"));
  bench.apply(bench.table.update({"1", null, ""}));
  EXPECT_THAT(bench.lines(), ElementsAre("HSET u:1 id 1 doc ", "HDEL u:1 name"));
  bench.apply(bench.table.update({"1", null, unchanged}));
  EXPECT_THAT(bench.lines(), ElementsAre("HSET u:1 id 1", "HDEL u:1 name"));
  bench.apply(bench.table.remove({"1", absent, absent}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK u:1"));
}

TEST(HashWrite, TakesChosenColumnsUnderOtherNames) {
  WriteSpec spec = including(hash("u:{id}"), {"doc", "name"});
  spec.parameters["columns"].rename = {{"doc", "d"}};
  Bench bench(users(), {spec});
  bench.apply(bench.table.insert({"1", "Ann", "{}"}));
  EXPECT_THAT(bench.lines(), ElementsAre("HSET u:1 d {} name Ann"));
  WriteSpec without = hash("u:{id}");
  without.parameters["columns"].exclude = {"doc"};
  Bench other(users(), {without});
  EXPECT_EQ(other.apply(other.table.update({"1", "Ann", unchanged}), false), Outcome::done);  // doc is not needed
  EXPECT_THAT(other.lines(), ElementsAre("HSET u:1 id 1 name Ann"));
}

TEST(HashWrite, ARowOfNullsHasNoKey) {
  Bench bench(users(), {including(hash("u:{id}"), {"name", "doc"})});
  bench.apply(bench.table.update({"1", null, null}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK u:1"));
  bench.apply(bench.table.update({"1", null, unchanged}));
  EXPECT_THAT(bench.lines(), ElementsAre("HDEL u:1 name"));
  bench.writer->replace(bench.table.row({"1", null, null}), false, bench.batch);
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK u:1"));
  bench.writer->replace(bench.table.row({"1", null, null}), true, bench.batch);
  EXPECT_THAT(bench.lines(), IsEmpty());
}

TEST(HashWrite, NothingToWriteIsNoCommand) {
  Bench bench(users(), {including(hash("u:{id}"), {"doc"})});
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Ann", unchanged})), Outcome::done);
  EXPECT_TRUE(bench.batch.empty());
}

TEST(HashWrite, ExpiresWithATtl) {
  Bench bench(users(), {with_ttl(hash("u:{id}"), milliseconds(1500))});
  bench.apply(bench.table.insert({"1", "Ann", null}));
  EXPECT_THAT(bench.lines(), ElementsAre("HSET u:1 id 1 name Ann", "HDEL u:1 doc", "PEXPIRE u:1 1500"));
  bench.writer->replace(bench.table.row({"1", "Ann", null}), false, bench.batch);
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK u:1", "HSET u:1 id 1 name Ann", "PEXPIRE u:1 1500"));
  // The hash may have expired since: what is unchanged may be gone.
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Ann", unchanged})), Outcome::reread);
  EXPECT_TRUE(bench.batch.empty());
}

TEST(HashWrite, ReplacingLeavesNoStaleField) {
  Bench bench(users(), {hash("u:{id}")});
  ModelRedis redis;
  redis.apply({{"HSET", "u:1", "dropped_column", "x"}});
  bench.writer->replace(bench.table.row({"1", "Ann", null}), false, bench.batch);
  bench.apply(bench.table.update({"1", "Bob", null}));  // a later whole write keeps the removal
  redis.apply(commands_of(bench.batch));
  EXPECT_EQ(redis.keys["u:1"].hash, (std::map<std::string, std::string>{{"id", "1"}, {"name", "Bob"}}));
  bench.batch.clear();
  bench.writer->replace(bench.table.row({"1", "Ann", null}), true, bench.batch);
  EXPECT_THAT(bench.lines(), ElementsAre("HSET u:1 id 1 name Ann"));
}

TEST(HashWrite, ALoadingTableRereadsUnchangedColumns) {
  Bench bench(users(), {hash("u:{id}")});
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Ann", unchanged}), false), Outcome::reread);
  EXPECT_TRUE(bench.batch.empty());
}

TEST(StringWrite, WritesOneColumnAsItIs) {
  Bench bench(users(), {string("u:{id}", "name")});
  bench.apply(bench.table.insert({"1", "A\"nn\r\n", "{}"}));
  EXPECT_THAT(bench.lines(), ElementsAre("SET u:1 A\"nn\r\n"));
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Bob", unchanged})), Outcome::done);
  EXPECT_THAT(bench.lines(), ElementsAre("SET u:1 Bob"));
  bench.apply(bench.table.update({"1", null, "{}"}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK u:1"));
  EXPECT_EQ(bench.apply(bench.table.update({"1", unchanged, "{}"})), Outcome::reread);
  EXPECT_TRUE(bench.batch.empty());
  bench.writer->replace(bench.table.row({"1", "Cid", "{}"}), false, bench.batch);
  EXPECT_THAT(bench.lines(), ElementsAre("SET u:1 Cid"));
}

TEST(StringWrite, WritesTheRowAsJson) {
  WriteSpec spec = with_ttl(including(string("u:{id}"), {"id", "doc", "name"}), milliseconds(60000));
  spec.parameters["columns"].rename = {{"name", "n"}};
  Bench bench(users(), {spec});
  bench.apply(bench.table.insert({"1", null, "{\"a\": 1}"}));
  EXPECT_THAT(bench.lines(), ElementsAre(R"(SET u:1 {"id":1,"doc":{"a": 1},"n":null} PX 60000)"));
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Ann", unchanged})), Outcome::reread);
  EXPECT_TRUE(bench.batch.empty());
  bench.apply(bench.table.remove({"1", absent, absent}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK u:1"));
}

TEST(RelationWriter, OneWriteThatNeedsTheRowHoldsBackAll) {
  Bench bench(users(), {hash("h:{id}"), string("s:{id}")});
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Ann", unchanged})), Outcome::reread);
  EXPECT_TRUE(bench.batch.empty());
  EXPECT_EQ(bench.apply(bench.table.update({"2", "Ann", unchanged}, {"1", absent, absent})), Outcome::reread);
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK h:1", "UNLINK s:1"));
  bench.writer->replace(bench.table.row({"2", "Ann", "{}"}), false, bench.batch);
  EXPECT_THAT(bench.lines(),
              ElementsAre("UNLINK h:2", "HSET h:2 id 2 name Ann doc {}", R"(SET s:2 {"id":2,"name":"Ann","doc":{}})"));
}

TEST(RelationWriter, AKeyChangeRemovesTheOldKey) {
  Bench bench(users(), {hash("h:{id}")});
  EXPECT_EQ(bench.apply(bench.table.update({"2", "Ann", "{}"}, {"1", absent, absent})), Outcome::done);
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK h:1", "HSET h:2 id 2 name Ann doc {}"));
  // Under the new key nothing stands that could be kept.
  EXPECT_EQ(bench.apply(bench.table.update({"2", "Ann", unchanged}, {"1", absent, absent})), Outcome::reread);
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK h:1"));
}

TEST(RelationWriter, AnOldRowWithTheSameKeyIsNoKeyChange) {
  Bench bench(Table("public.t", {"a:text:key", "b:text:key", "c:text"}), {hash("{a}:{b}")});
  EXPECT_EQ(bench.apply(bench.table.update({"x:y", "z", unchanged}, {"x", "y:z", absent})), Outcome::done);
  EXPECT_THAT(bench.lines(), ElementsAre("HSET x:y:z a x:y b z"));
}

TEST(RelationWriter, AnUnchangedIdentityColumnComesFromTheOldRow) {
  // The server sends the key when one of its columns is TOASTed.
  Bench bench(Table("public.t", {"id:text:key", "name:text"}), {hash("k:{id}")});
  EXPECT_EQ(bench.apply(bench.table.update({unchanged, "Ann"}, {"long", absent})), Outcome::done);
  EXPECT_THAT(bench.lines(), ElementsAre("HSET k:long id long name Ann"));
  EXPECT_THROW(bench.apply(bench.table.update({unchanged, "Ann"})), RowError);
  EXPECT_TRUE(bench.batch.empty());
}

TEST(RelationWriter, FullIdentityGivesUnchangedValues) {
  Bench bench(users().full(), {hash("h:{id}"), string("s:{id}")});
  EXPECT_EQ(bench.apply(bench.table.update({"1", "Bob", unchanged}, {"1", "Ann", "[1]"}), false), Outcome::done);
  EXPECT_THAT(bench.lines(),
              ElementsAre("HSET h:1 id 1 name Bob doc [1]", R"(SET s:1 {"id":1,"name":"Bob","doc":[1]})"));
  EXPECT_EQ(bench.apply(bench.table.update({"2", "Bob", unchanged}, {"1", "Ann", "[1]"})), Outcome::done);
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK h:1", "UNLINK s:1", "HSET h:2 id 2 name Bob doc [1]",
                                         R"(SET s:2 {"id":2,"name":"Bob","doc":[1]})"));
  bench.apply(bench.table.remove({"2", "Bob", "[1]"}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK h:2", "UNLINK s:2"));
}

TEST(RelationWriter, UnderFullAnyColumnMayMoveTheKey) {
  Bench bench(users().full(), {hash("h:{id}:{name}"), hash("i:{id}")});
  bench.apply(bench.table.update({"1", "Bob", null}, {"1", "Ann", null}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK h:1:Ann", "HSET h:1:Bob id 1 name Bob", "HDEL h:1:Bob doc",
                                         "HSET i:1 id 1 name Bob", "HDEL i:1 doc"));
  // A row with a NULL in the key was never written.
  bench.apply(bench.table.update({"1", "Bob", "{}"}, {"1", null, "{}"}));
  EXPECT_THAT(bench.lines(), ElementsAre("HSET h:1:Bob id 1 name Bob doc {}", "HSET i:1 id 1 name Bob doc {}"));
  bench.apply(bench.table.remove({"1", null, "{}"}));
  EXPECT_THAT(bench.lines(), ElementsAre("UNLINK i:1"));
}

TEST(RelationWriter, AllRemovalsComeBeforeAllWrites) {
  // The new key of the first write is the old key of the second.
  Bench bench(Table("public.t", {"id:integer:key", "a:text", "b:text"}).full(), {hash("{id}:{a}"), hash("{id}:{b}")});
  ModelRedis redis;
  bench.apply(bench.table.insert({"1", "x", "y"}));
  bench.apply(bench.table.update({"1", "y", "z"}, {"1", "x", "y"}));
  redis.apply(commands_of(bench.batch));
  EXPECT_EQ(redis.keys.size(), 2U);
  EXPECT_TRUE(redis.keys.contains("1:y") && redis.keys.contains("1:z"));
}

TEST(RelationWriter, ANullInAKeyIsARowErrorBeforeAnythingIsAppended) {
  Bench bench(users().full(), {hash("h:{id}"), hash("n:{id}:{name}")});
  for (const Change& change :
       {bench.table.insert({"1", null, "{}"}), bench.table.update({"1", null, "{}"}, {"1", "Ann", "{}"})}) {
    try {
      bench.apply(change);
      FAIL() << "accepted";
    } catch (const RowError& error) {
      EXPECT_THAT(error.what(), HasSubstr("mapping m, table public.users, hash: column name is NULL"));
    }
    EXPECT_TRUE(bench.batch.empty());
  }
  EXPECT_THROW(bench.writer->replace(bench.table.row({"1", null, "{}"}), false, bench.batch), RowError);
  EXPECT_TRUE(bench.batch.empty());
}

TEST(RelationWriter, IdentityBytesAreInjective) {
  Bench bench(Table("public.t", {"a:text:key", "v:text", "b:text:key"}), {hash("{a}:{b}")});
  const std::vector<std::string> texts{
      "", "a", "b", "ab", std::string(1, '\0'), std::string(4, '\0'), "\xFF\xFF\xFF\xFF"};
  std::set<std::string> seen;
  std::vector<testing::Cell> cells{null};
  for (const std::string& text : texts) cells.emplace_back(text);
  for (const auto& a : cells) {
    for (const auto& b : cells) {
      std::string identity, other;
      bench.writer->append_identity(bench.table.row({a, "x", b}), identity);
      bench.writer->append_identity(bench.table.row({a, absent, b}), other);
      EXPECT_EQ(identity, other);  // old and new rows
      EXPECT_TRUE(seen.insert(identity).second);
    }
  }
}

TEST(RelationWriter, IdentityUnderFullIsThePrimaryKeyOrTheKeysColumns) {
  const auto identity = [](Table table, const std::string& key, const Cells& row) {
    Bench bench(std::move(table), {hash(key)});
    std::string bytes;
    bench.writer->append_identity(bench.table.row(row), bytes);
    return bytes;
  };
  EXPECT_EQ(identity(users().full(), "{id}:{name}", {"1", "Ann", "{}"}),
            identity(users().full(), "{id}:{name}", {"1", "Bob", unchanged}));
  const Table heap = Table("public.log", {"at:text", "line:text", "more:text"}).full();
  EXPECT_EQ(identity(heap, "{at}:{line}", {"1", "x", "y"}), identity(heap, "{at}:{line}", {"1", "x", unchanged}));
  EXPECT_NE(identity(heap, "{at}:{line}", {"1", "x", "y"}), identity(heap, "{at}:{line}", {"1", "y", "y"}));
}

// A table under random changes, Redis through one batch for each few changes, at the end equal to the table. Rows that
// must be read again are read from the table at once, as the program does before it goes on.
class RandomTable {
 public:
  RandomTable(std::uint32_t seed, bool full)
      : random_(seed),
        bench_(full ? users().full() : users(), {hash("h:{id}"), string("j:{id}"), string("n:{id}", "name")}) {}

  void change() {
    const int id = static_cast<int>(random_() % 4), other = static_cast<int>(random_() % 4);
    const bool full = bench_.table.relation.identity == testing::ReplicaIdentity::full;
    const bool exists = rows_.contains(id);
    const std::string key = std::to_string(id);
    const Cells old = !exists ? Cells{} : full ? cells(id) : Cells{key, absent, absent};
    if (!exists) {
      rows_[id] = {value(), value()};
      apply(bench_.table.insert(cells(id)), id);
    } else if (random_() % 4 == 0) {
      const Change change = bench_.table.remove(old);
      rows_.erase(id);
      apply(change, id);
    } else {
      update(id, random_() % 2 == 0 && !rows_.contains(other) ? other : id, full);
    }
    if (random_() % 5 == 0) flush();
  }

  void flush() {
    redis_.apply(commands_of(bench_.batch));
    bench_.batch.clear();
  }

  void expect_equal() {
    ModelRedis expected;
    Bench fresh(users(), {hash("h:{id}"), string("j:{id}"), string("n:{id}", "name")});
    for (const auto& [id, row] : rows_) fresh.writer->replace(fresh.table.row(cells(id)), true, fresh.batch);
    expected.apply(commands_of(fresh.batch));
    EXPECT_EQ(redis_.keys, expected.keys);
  }

 private:
  using Texts = std::pair<std::optional<std::string>, std::optional<std::string>>;  // name, doc

  std::optional<std::string> value() {
    if (random_() % 4 == 0) return std::nullopt;
    return std::to_string(++values_);
  }
  static testing::Cell cell(const std::optional<std::string>& text) { return text ? testing::Cell(*text) : null; }
  Cells cells(int id) {
    kept_.push_back(std::to_string(id));
    const Texts& row = rows_.at(id);
    texts_.push_back(row);
    return {testing::Cell(kept_.back()), cell(texts_.back().first), cell(texts_.back().second)};
  }

  void update(int from, int to, bool full) {
    Cells old = cells(from);
    if (!full) old = Cells{old[0], absent, absent};
    Texts row = rows_.at(from);
    row.first = value();
    const bool keep_doc = row.second.has_value() && random_() % 2 == 0;
    if (!keep_doc) row.second = value();
    rows_.erase(from);
    rows_[to] = row;
    Cells now = cells(to);
    if (keep_doc) now[2] = unchanged;
    if (!full && from == to) old.clear();
    apply(bench_.table.update(now, old), to);
  }

  void apply(const Change& change, int id) {
    if (bench_.apply(change) == Outcome::reread) {
      bench_.writer->replace(bench_.table.row(cells(id)), false, bench_.batch);
    }
  }

  std::mt19937 random_;
  Bench bench_;
  ModelRedis redis_;
  std::map<int, Texts> rows_;
  std::deque<std::string> kept_;  // what the cells view
  std::deque<Texts> texts_;
  int values_ = 0;
};

TEST(RelationWriter, RandomChangesLeaveRedisEqualToTheTable) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomTable table(seed, seed % 2 == 0);
    for (int i = 0; i < 60; ++i) table.change();
    table.flush();
    table.expect_equal();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace walrelay::sinks
