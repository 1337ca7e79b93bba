// Random changes of a table, through the writer, the batch and a model of Redis.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <random>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using testing::absent;
using testing::Bound;
using testing::Cells;
using testing::Change;
using testing::commands_of;
using testing::hash;
using testing::ModelRedis;
using testing::null;
using testing::Outcome;
using testing::string;
using testing::unchanged;
using testing::users;

// A table under random changes, Redis through one batch for each few changes, at the end equal to the table. Rows that
// must be read again are read from the table at once, as the program does before it goes on.
class RandomTable {
 public:
  RandomTable(std::uint32_t seed, bool full)
      : random_(seed),
        bound_(full ? users().full() : users(), {hash("h:{id}"), string("j:{id}"), string("n:{id}", "name")}) {}

  void change() {
    const int id = static_cast<int>(random_() % 4), other = static_cast<int>(random_() % 4);
    const bool full = bound_.table.relation.identity == testing::ReplicaIdentity::full;
    const bool exists = rows_.contains(id);
    const std::string key = std::to_string(id);
    const Cells old = !exists ? Cells{} : full ? cells(id) : Cells{key, absent, absent};
    if (!exists) {
      rows_[id] = {value(), value()};
      apply(bound_.table.insert(cells(id)), id);
    } else if (random_() % 4 == 0) {
      const Change change = bound_.table.remove(old);
      rows_.erase(id);
      apply(change, id);
    } else {
      update(id, random_() % 2 == 0 && !rows_.contains(other) ? other : id, full);
    }
    if (random_() % 5 == 0) flush();
  }

  void flush() {
    redis_.apply(commands_of(bound_.batch));
    bound_.batch.clear();
  }

  void expect_equal() {
    ModelRedis expected;
    Bound fresh(users(), {hash("h:{id}"), string("j:{id}"), string("n:{id}", "name")});
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
    apply(bound_.table.update(now, old), to);
  }

  void apply(const Change& change, int id) {
    const bool keep_unchanged = random_() % 4 != 0;
    if (bound_.apply(change, keep_unchanged) == Outcome::reread) {
      bound_.writer->replace(bound_.table.row(cells(id)), false, bound_.batch);
    }
  }

  std::mt19937 random_;
  Bound bound_;
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
