// What keys take in Redis: encodings, and how a sample speaks for a table. Against a real server:
// tests/system_kinds/memory_estimate_test.cc.
#include "sinks/memory_cost.h"

#include <gtest/gtest.h>

namespace walrelay::sinks {
namespace {

using Type = Expectation::Type;

Expectation row(Type type, const std::string& key, const std::string& value) {
  Expectation expected;
  expected.type = type;
  expected.key = key;
  expected.value = value;
  return expected;
}
Expectation member(Type type, const std::string& key, const std::string& text) {
  Expectation expected = row(type, key, "1");
  expected.member = text;
  expected.present = true;
  return expected;
}
double cost_of(const std::vector<Expectation>& rows, double scale = 1) {
  MemoryCost cost;
  for (const auto& each : rows) cost.add(each);
  return cost.bytes(scale);
}

TEST(MemoryCost, OfOneKey) {
  // Entry 32 and 12 of the buckets, key 8, object 16: the number stands in the object.
  EXPECT_EQ(cost_of({row(Type::string, "k:1", "12345")}), 68);
  EXPECT_EQ(cost_of({row(Type::string, "k:1", std::string(40, 'x'))}), 68 - 16 + 64);
  EXPECT_EQ(cost_of({row(Type::string, "k:1", std::string(5000, 'x'))}), 68 + 5120);
  auto lives = row(Type::string, "k:1", "12345");
  lives.ttl = std::chrono::seconds(1);
  EXPECT_EQ(cost_of({lives}), 68 + 44) << "it stands in another table too";
  EXPECT_EQ(cost_of({row(Type::string, "k:1", "1"), row(Type::string, "k:2", "2")}, 10), 20 * 68);
}

TEST(MemoryCost, NothingOfWhatIsNotWritten) {
  auto skipped = row(Type::string, "k", "v");
  skipped.skip = true;
  auto absent = member(Type::set_member, "k", "v");
  absent.present = false;
  EXPECT_EQ(cost_of({skipped, absent, row(Type::none, "k", "")}, 1000), 0);
}

TEST(MemoryCost, OfAHashByItsLongestValue) {
  auto small = row(Type::hash, "k", "");
  small.fields = {{"name", std::string(64, 'x')}};
  auto large = small;
  large.fields[0].second += 'x';
  EXPECT_EQ(cost_of({small}), 68 + 96) << "a listpack";
  EXPECT_EQ(cost_of({large}), 68 + 64 + 44 + 8 + 80) << "a hash table: the entry, its name and its value";
}

TEST(MemoryCost, OfMembersByTheirNumberInAKey) {
  std::vector<Expectation> one, many;
  for (int i = 0; i < 100; ++i) {
    one.push_back(member(Type::scored_member, "k", "m" + std::to_string(i)));
    many.push_back(member(Type::scored_member, "k" + std::to_string(i), "m"));
  }
  EXPECT_LT(cost_of(one), 68 + 100 * 16) << "a listpack";
  EXPECT_GT(cost_of(one, 10), 1000 * 100) << "of a thousand members none";
  EXPECT_GT(cost_of(many, 10), 1000 * 68) << "each has a key";
}

TEST(MemoryCost, AMemberOfManyRowsCountsOnce) {
  std::vector<Expectation> rows;
  for (int i = 0; i < 100; ++i) rows.push_back(member(Type::set_member, "all", "g" + std::to_string(i % 4)));
  EXPECT_LT(cost_of(rows, 1000), 1000);
}

TEST(MemoryCost, HowManyDifferentOnes) {
  EXPECT_EQ(all_different(0, 0, 10, 5), 0);
  EXPECT_EQ(all_different(100, 100, 100, 7), 700) << "each was met once: all differ";
  EXPECT_EQ(all_different(4, 0, 100, 1000), 4) << "each was met again: there are no more";
}

}  // namespace
}  // namespace walrelay::sinks
