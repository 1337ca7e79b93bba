#include "sinks/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "model_redis.h"

namespace walrelay::sinks {
namespace {

using testing::Command;
using testing::commands_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::ModelRedis;

void append(Batch& batch, std::uint32_t write, Effect effect, const std::vector<Command>& commands) {
  batch.open(write, commands.at(0).at(1), effect);
  for (const Command& command : commands) {
    batch.command(command.size());
    for (const std::string& word : command) batch.argument(word);
  }
  batch.close();
}

struct Appended {
  std::uint32_t write;
  Effect effect;
  std::string key, value;
};

struct CoalescingCase {
  std::string name;
  std::vector<Appended> appended;
  std::vector<std::string> left;
};

class Coalescing : public ::testing::TestWithParam<CoalescingCase> {};

TEST_P(Coalescing, LeavesWhatCanBeSeen) {
  Batch batch;
  for (const Appended& entry : GetParam().appended) {
    append(batch, entry.write, entry.effect, {{"X", entry.key, entry.value}});
  }
  const std::size_t commands = batch.commands();
  EXPECT_THAT(lines_of(batch), ::testing::ElementsAreArray(GetParam().left));
  EXPECT_EQ(commands, GetParam().left.size());
  EXPECT_EQ(batch.coalesced(), GetParam().appended.size() - GetParam().left.size());
}

constexpr auto kRemove = Effect::remove, kWhole = Effect::whole, kPartial = Effect::partial, kOrdered = Effect::ordered;
INSTANTIATE_TEST_SUITE_P(
    Batch, Coalescing,
    ::testing::Values(
        CoalescingCase{"whole_kills_whole", {{1, kWhole, "k", "1"}, {1, kWhole, "k", "2"}}, {"X k 2"}},
        CoalescingCase{"whole_kills_partials",
                       {{1, kPartial, "k", "1"}, {1, kPartial, "k", "2"}, {1, kWhole, "k", "3"}},
                       {"X k 3"}},
        CoalescingCase{"whole_keeps_a_removal",
                       {{1, kRemove, "k", "1"}, {1, kWhole, "k", "2"}, {1, kWhole, "k", "3"}},
                       {"X k 1", "X k 3"}},
        CoalescingCase{"remove_kills_all",
                       {{1, kRemove, "k", "1"}, {1, kWhole, "k", "2"}, {1, kPartial, "k", "3"}, {1, kRemove, "k", "4"}},
                       {"X k 4"}},
        CoalescingCase{"partial_kills_nothing",
                       {{1, kWhole, "k", "1"}, {1, kPartial, "k", "2"}, {1, kPartial, "k", "3"}},
                       {"X k 1", "X k 2", "X k 3"}},
        CoalescingCase{
            "ordered_stands_aside",
            {{1, kOrdered, "k", "1"}, {1, kWhole, "k", "2"}, {1, kOrdered, "k", "3"}, {1, kRemove, "k", "4"}},
            {"X k 1", "X k 3", "X k 4"}},
        CoalescingCase{"other_keys_stay", {{1, kWhole, "a", "1"}, {1, kWhole, "b", "2"}}, {"X a 1", "X b 2"}},
        CoalescingCase{"other_writes_stay", {{1, kWhole, "k", "1"}, {2, kRemove, "k", "2"}}, {"X k 1", "X k 2"}},
        CoalescingCase{"across_another_write",
                       {{1, kWhole, "k", "1"}, {2, kRemove, "k", "2"}, {1, kWhole, "k", "3"}},
                       {"X k 2", "X k 3"}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Batch, KeepsTheOrderOfAPrimaryKeySwap) {
  // 10 -> -1, 20 -> 10, -1 -> 20 in one transaction
  Batch batch;
  const auto move = [&](const std::string& from, const std::string& to, const std::string& row) {
    append(batch, 1, Effect::remove, {{"UNLINK", from}});
    append(batch, 1, Effect::whole, {{"HSET", to, "row", row}});
  };
  move("10", "-1", "a");
  move("20", "10", "b");
  move("-1", "20", "a");
  ModelRedis redis;
  redis.apply({{"HSET", "10", "row", "a"}, {"HSET", "20", "row", "b"}});
  redis.apply(commands_of(batch));
  ASSERT_EQ(redis.keys.size(), 2U);
  EXPECT_EQ(redis.keys["10"].hash["row"], "b");
  EXPECT_EQ(redis.keys["20"].hash["row"], "a");
}

TEST(Batch, GivesThePlaceOfEveryLiveCommand) {
  Batch batch;
  append(batch, 1, Effect::whole, {{"HSET", "a", "f", "1"}});
  append(batch, 2, Effect::whole, {{"HSET", "b", "f", "1"}, {"PEXPIRE", "b", "5"}});
  append(batch, 1, Effect::whole, {{"HSET", "a", "f", "2"}});
  std::vector<Batch::Place> places;
  batch.take(&places);
  std::vector<std::pair<std::uint32_t, std::string>> seen;
  for (const auto& place : places) seen.insert(seen.end(), place.commands, {place.write, std::string(place.key)});
  EXPECT_THAT(seen, ElementsAre(std::pair(2U, "b"), std::pair(2U, "b"), std::pair(1U, "a")));
}

TEST(Batch, NamesTheKeysOfOneWrite) {
  Batch batch;
  append(batch, 1, Effect::whole, {{"HSET", "a", "f", "1"}});
  append(batch, 2, Effect::whole, {{"HSET", "b", "f", "1"}});
  append(batch, 1, Effect::remove, {{"UNLINK", "a"}});
  append(batch, 1, Effect::partial, {{"HSET", "c", "f", "1"}});
  std::vector<std::string> keys;
  batch.each_key(1, [&](std::string_view key, std::string_view) { keys.emplace_back(key); });
  EXPECT_THAT(keys, ElementsAre("a", "c"));
}

TEST(Batch, AppendsAfterTakeAndStartsAnewAfterClear) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  append(batch, 1, Effect::whole, {{"SET", "a", "1"}});
  append(batch, 1, Effect::whole, {{"SET", "a", "2"}});
  EXPECT_THAT(lines_of(batch), ElementsAre("SET a 2"));
  append(batch, 1, Effect::whole, {{"SET", "a", "3"}});
  append(batch, 1, Effect::whole, {{"SET", "a", "4"}});
  EXPECT_EQ(lines_of(batch).back(), "SET a 4");
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.commands(), 0U);
  EXPECT_EQ(batch.coalesced(), 0U);
  EXPECT_THAT(lines_of(batch), IsEmpty());
  append(batch, 1, Effect::whole, {{"SET", "a", "5"}});
  EXPECT_THAT(lines_of(batch), ElementsAre("SET a 5"));
}

TEST(Batch, GrowsOverManyKeysAndOneHugeValue) {
  Batch batch;
  const std::string huge(5'000'000, 'v');
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10'000; ++i) append(batch, 1, Effect::whole, {{"SET", "k" + std::to_string(i), "v"}});
  }
  append(batch, 1, Effect::whole, {{"SET", "huge", huge}});
  EXPECT_EQ(batch.commands(), 10'001U);
  EXPECT_EQ(batch.coalesced(), 10'000U);
  const auto commands = commands_of(batch);
  ASSERT_EQ(commands.size(), 10'001U);
  EXPECT_EQ(commands.back().at(2), huge);
  EXPECT_EQ(commands.at(77), (Command{"SET", "k77", "v"}));
}

TEST(BatchDeathTest, ACommandWithoutAllItsArgumentsIsFatal) {
  Batch batch;
  batch.open(1, "k", Effect::whole);
  batch.command(3);
  batch.argument("SET");
  batch.argument("k");
  EXPECT_DEATH(batch.close(), "");
}

// Random entries of hash writes that share keys and fields. `whole` sets or deletes all fields of its write.
class RandomEntries {
 public:
  explicit RandomEntries(std::uint32_t seed) : random_(seed) {}

  // The same entry into a coalescing batch, and as commands that stay as they are.
  void next(Batch& batch, std::vector<Command>& plain) {
    const std::uint32_t write = below(3);
    const std::string key = "k" + std::to_string(below(4));
    const std::uint32_t what = below(10);
    std::vector<Command> commands;
    const Effect effect = what < 2 ? Effect::remove : what < 6 ? Effect::whole : Effect::partial;
    if (effect == Effect::remove) {
      commands = {{"UNLINK", key}};
    } else {
      commands = fields(write, key, effect == Effect::partial);
    }
    if (commands.empty()) return;
    append(batch, write, effect, commands);
    plain.insert(plain.end(), commands.begin(), commands.end());
  }

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

 private:
  // Write w has the fields w, w+1 and w+2 of five: writes overlap.
  std::vector<Command> fields(std::uint32_t write, const std::string& key, bool partial) {
    Command set{"HSET", key}, remove{"HDEL", key};
    for (std::uint32_t field = write; field < write + 3; ++field) {
      const std::string name = "f" + std::to_string(field);
      if (partial && below(2) == 0) continue;
      if (below(4) == 0) {
        remove.push_back(name);
      } else {
        set.insert(set.end(), {name, std::to_string(++value_)});
      }
    }
    std::vector<Command> commands;
    if (set.size() > 2) commands.push_back(set);
    if (remove.size() > 2) commands.push_back(remove);
    return commands;
  }

  std::mt19937 random_;
  int value_ = 0;
};

// Squeezed out or not, the same entries live.
TEST(Batch, CompactingLosesNoCoalescing) {
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomEntries entries(seed), same(seed);
    std::vector<Command> unused;
    Batch compacted, plain;
    for (int left = 60; left > 0; --left) {
      entries.next(compacted, unused);
      same.next(plain, unused);
      if (left % 3 == 0) compacted.compact();
      ASSERT_EQ(compacted.commands(), plain.commands());
      ASSERT_EQ(compacted.coalesced(), plain.coalesced());
    }
    compacted.compact();
    EXPECT_EQ(compacted.dead_bytes(), 0U);
    EXPECT_EQ(commands_of(compacted), commands_of(plain));
  }
}

TEST(Batch, CoalescingNeverChangesTheEndState) {
  for (std::uint32_t seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomEntries entries(seed);
    ModelRedis coalesced, plain;
    Batch batch;
    for (int round = 0; round < 4; ++round) {
      std::vector<Command> commands;
      for (std::uint32_t left = entries.below(40); left > 0; --left) {
        entries.next(batch, commands);
        if (entries.below(30) == 0) batch.take();  // looking at it in between changes nothing
        if (entries.below(10) == 0) batch.compact();
      }
      plain.apply(commands);
      EXPECT_EQ(batch.commands(), commands_of(batch).size());
      coalesced.apply(commands_of(batch));
      batch.clear();
      ASSERT_EQ(coalesced.keys, plain.keys);
    }
  }
}

}  // namespace
}  // namespace walrelay::sinks
