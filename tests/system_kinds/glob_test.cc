// Our own matcher of globs means by each what Redis means: many random ones over an alphabet of little else than what
// is special, against SCAN MATCH of a real Redis.
#include <gtest/gtest.h>

#include <set>

#include "sinks/glob_match.h"
#include "tests/support/random_values.h"
#include "tests/support/redis_server.h"

namespace walrelay::support {
namespace {

class GlobTest : public testing::Test {
 protected:
  std::string text_of(std::string_view alphabet, std::size_t longest) {
    std::string text;
    for (auto size = random_.below(longest + 1); size > 0; --size) text += alphabet[random_.below(alphabet.size())];
    return text;
  }

  static std::set<std::string> scanned(RedisClient& client, const std::string& glob) {
    std::set<std::string> found;
    const auto page = client.call({"SCAN", "0", "COUNT", "100000", "MATCH", glob});
    EXPECT_EQ(page.elements.at(0).text, "0");
    for (const auto& key : page.elements.at(1).elements) found.insert(key.text);
    return found;
  }

  const std::uint64_t seed_ = 20260205;
  RandomValues random_{seed_};
};

TEST_F(GlobTest, RedisMeansTheSame) {
  Redis redis;
  std::set<std::string> keys;
  while (keys.size() < 400) {
    const std::string key = text_of("aabbc-^[]\\*?", 7);
    if (!keys.insert(key).second) continue;
    redis.command("SET", key, "");
  }
  std::size_t hits = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string glob = text_of("**?[[]]^-\\aabbc", 9);
    const sinks::Glob ours(glob);
    sinks::GlobSet set;
    set.add(glob);
    set.add("no such key");
    std::set<std::string> matching, of_the_set;
    for (const std::string& key : keys) {
      if (ours.matches(key)) matching.insert(key);
      if (set.matches(key)) of_the_set.insert(key);
    }
    ASSERT_EQ(matching, scanned(redis.client(), glob)) << "glob " << glob << ", seed " << seed_;
    ASSERT_EQ(of_the_set, matching) << "glob " << glob << ", seed " << seed_;
    if (const auto literal = ours.literal()) {
      ASSERT_LE(matching.size(), 1U) << glob;
      ASSERT_EQ(matching.count(*literal), keys.count(*literal)) << glob;
    }
    hits += matching.size();
  }
  EXPECT_GT(hits, 4000U) << "too little matches for this to say anything";
}

}  // namespace
}  // namespace walrelay::support
