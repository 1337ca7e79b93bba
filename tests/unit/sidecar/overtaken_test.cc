#include "sidecar/overtaken.h"

#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using replication::Snapshot;

constexpr std::int64_t kNow = 1'700'000'000'000'000;

Snapshot snapshot(const char* text) { return *Snapshot::parse(text); }

TEST(Overtaken, RemembersOnlyWhatTheSnapshotDoesNotSee) {
  Overtaken overtaken;
  const auto chunk = overtaken.open(7);
  overtaken.begin(100, kNow);
  overtaken.touch(7, "seen");
  overtaken.begin(105, kNow);
  overtaken.touch(7, "in progress");
  overtaken.begin(120, kNow);
  overtaken.touch(7, "later");
  overtaken.touch(8, "other table");
  Overtaken::Newer newer;
  std::uint64_t from = 0;
  overtaken.collect(chunk, snapshot("101:110:105"), newer, from);
  EXPECT_FALSE(newer.contains("seen"));
  EXPECT_TRUE(newer.contains("in progress"));
  EXPECT_TRUE(newer.contains("later"));
  EXPECT_FALSE(newer.contains("other table"));
}

TEST(Overtaken, CollectsWhatComesBetweenTwoCalls) {
  Overtaken overtaken;
  const auto chunk = overtaken.open(7);
  Overtaken::Newer newer;
  std::uint64_t from = 0;
  overtaken.collect(chunk, snapshot("100:100:"), newer, from);
  EXPECT_FALSE(newer.contains("row"));
  overtaken.begin(100, kNow);
  overtaken.touch(7, "row");
  overtaken.collect(chunk, snapshot("100:100:"), newer, from);
  EXPECT_TRUE(newer.contains("row"));
}

TEST(Overtaken, IgnoresWhatWasBeforeTheChunk) {
  Overtaken overtaken;
  const auto first = overtaken.open(7);
  overtaken.begin(200, kNow);
  overtaken.touch(7, "before");
  const auto second = overtaken.open(7);
  overtaken.touch(7, "after");
  overtaken.close(first);
  Overtaken::Newer newer;
  std::uint64_t from = 0;
  overtaken.collect(second, snapshot("100:100:"), newer, from);
  EXPECT_FALSE(newer.contains("before"));
  EXPECT_TRUE(newer.contains("after"));
}

TEST(Overtaken, ATruncateMakesEveryRowOld) {
  Overtaken overtaken;
  const auto chunk = overtaken.open(7);
  overtaken.begin(100, kNow);
  overtaken.truncate(7);
  Overtaken::Newer seen, unseen;
  std::uint64_t from = 0;
  overtaken.collect(chunk, snapshot("101:101:"), seen, from);
  EXPECT_FALSE(seen.all);
  from = 0;
  overtaken.collect(chunk, snapshot("100:100:"), unseen, from);
  EXPECT_TRUE(unseen.contains("any row"));
}

TEST(Overtaken, ACommitThatSnapshotsDoNotSeeYetMakesTheChunkTooEarly) {
  Overtaken overtaken;
  overtaken.begin(100, kNow);
  const auto chunk = overtaken.open(7);
  EXPECT_TRUE(overtaken.misses_delivered(chunk, snapshot("100:101:100"), kNow));
  EXPECT_FALSE(overtaken.misses_delivered(chunk, snapshot("101:101:"), kNow));
  overtaken.begin(150, kNow);  // delivered after it was opened: its rows are touched instead
  EXPECT_FALSE(overtaken.misses_delivered(chunk, snapshot("101:101:"), kNow));
}

TEST(Overtaken, ForgetsTransactionsOfYesterday) {
  Overtaken overtaken;
  overtaken.begin(100, kNow);
  const auto chunk = overtaken.open(7);
  const std::int64_t tomorrow = kNow + std::int64_t{25} * 3600 * 1'000'000;
  EXPECT_FALSE(overtaken.misses_delivered(chunk, snapshot("100:101:100"), tomorrow));
}

TEST(Overtaken, WatchesOnlyTablesWithAnOpenChunk) {
  Overtaken overtaken;
  EXPECT_FALSE(overtaken.watching(7));
  const auto chunk = overtaken.open(7);
  EXPECT_TRUE(overtaken.watching(7));
  EXPECT_FALSE(overtaken.watching(8));
  overtaken.close(chunk);
  EXPECT_FALSE(overtaken.watching(7));
}

}  // namespace
}  // namespace walrelay::sidecar
