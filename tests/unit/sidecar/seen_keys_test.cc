#include "sidecar/seen_keys.h"

#include <gtest/gtest.h>

#include <string>

namespace walrelay::sidecar {
namespace {

TEST(SeenKeys, KnowsWhatWasAddedAndNothingElse) {
  SeenKeys seen;
  for (int i = 0; i < 100000; ++i) seen.add("user:" + std::to_string(i));
  seen.seal();
  for (int i = 0; i < 100000; ++i) ASSERT_TRUE(seen.contains("user:" + std::to_string(i))) << i;
  for (int i = 100000; i < 300000; ++i) ASSERT_FALSE(seen.contains("user:" + std::to_string(i))) << i;
  EXPECT_FALSE(seen.contains(""));
}

TEST(SeenKeys, IsBoundedAndForgetsWhatIsTooMuch) {
  SeenKeys seen;
  for (std::size_t i = 0; i < SeenKeys::kMost + 1000; ++i) seen.add(std::to_string(i));
  seen.seal();
  EXPECT_EQ(seen.size(), SeenKeys::kMost);
  EXPECT_TRUE(seen.contains("0"));
  EXPECT_FALSE(seen.contains(std::to_string(SeenKeys::kMost + 1)));
}

}  // namespace
}  // namespace walrelay::sidecar
