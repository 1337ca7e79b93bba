// Globs against keys; that Redis means the same by them is tested against a real one (system/glob_test.cc).
#include "sinks/glob_match.h"

#include <gtest/gtest.h>

#include "sinks/glob.h"

namespace walrelay::sinks {
namespace {

bool matches(std::string_view glob, std::string_view text) { return Glob(glob).matches(text); }

TEST(GlobTest, StarsTakeAnyTextAlsoNone) {
  EXPECT_TRUE(matches("cache:*", "cache:"));
  EXPECT_TRUE(matches("cache:*", "cache:1:2"));
  EXPECT_FALSE(matches("cache:*", "cach"));
  EXPECT_TRUE(matches("*:1", "a:1:1"));
  EXPECT_FALSE(matches("*:1", "a:1:2"));
  EXPECT_TRUE(matches("a*b*c", "a_b_b_c"));
  EXPECT_FALSE(matches("a*b*c", "a_c_b"));
  EXPECT_TRUE(matches("a**b", "ab"));
}

TEST(GlobTest, OneByteEach) {
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_TRUE(matches("[a-c][^x]", "bz"));
  EXPECT_FALSE(matches("[a-c][^x]", "bx"));
  EXPECT_FALSE(matches("[a-c]", "d"));
  EXPECT_TRUE(matches("[c-a]", "b"));
  EXPECT_TRUE(matches("[\\]]", "]"));
  EXPECT_TRUE(matches("[ab", "b"));  // never closed
  EXPECT_FALSE(matches("[]", "a"));
  EXPECT_TRUE(matches("[^]", "a"));
}

TEST(GlobTest, ABackslashMakesAText) {
  EXPECT_TRUE(matches("a\\*b", "a*b"));
  EXPECT_FALSE(matches("a\\*b", "axb"));
  EXPECT_TRUE(matches("a\\", "a\\"));
}

TEST(GlobTest, OnlyAStarMatchesTheEmptyText) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("**", ""));
  EXPECT_FALSE(matches("?", ""));
  EXPECT_FALSE(matches("", "a"));
}

TEST(GlobTest, ALiteralIsOneKey) {
  EXPECT_EQ(Glob("cache:\\[1\\]").literal(), "cache:[1]");
  EXPECT_EQ(Glob("cache:*").literal(), std::nullopt);
  EXPECT_EQ(Glob(glob_of("a*b?c[d]\\^-")).literal(), "a*b?c[d]\\^-");
}

// No backtracking without end, as a search that tries every split would do.
TEST(GlobTest, ManyStarsTakeNoLongTime) {
  std::string glob;
  for (int i = 0; i < 50; ++i) glob += "*a";
  EXPECT_FALSE(matches(glob + "b", std::string(5000, 'a')));
}

TEST(GlobSetTest, FindsWhatAnyOfThemMatches) {
  GlobSet globs;
  for (const char* glob : {"bundle:1:*", "bundle:12:*", "cache:listings*", "*:tmp", "exact"}) globs.add(glob);
  EXPECT_EQ(globs.size(), 5U);
  EXPECT_EQ(globs.most_candidates(), 1U);
  for (const char* key : {"bundle:1:8", "bundle:12:", "cache:listings|q", "x:tmp", ":tmp", "exact"}) {
    EXPECT_TRUE(globs.matches(key)) << key;
  }
  for (const char* key : {"bundle:13:8", "bundle:1", "cache:listing", "tmp", "exactly", ""}) {
    EXPECT_FALSE(globs.matches(key)) << key;
  }
}

TEST(GlobSetTest, SaysHowManyAKeyMayHaveToBeComparedWith) {
  GlobSet globs;
  for (int i = 0; i < 100; ++i) globs.add("lineage:*" + std::to_string(i) + "*");
  EXPECT_EQ(globs.most_candidates(), 100U);
  EXPECT_TRUE(globs.matches("lineage:x99y"));
  EXPECT_FALSE(globs.matches("lineage:x"));
}

}  // namespace
}  // namespace walrelay::sinks
