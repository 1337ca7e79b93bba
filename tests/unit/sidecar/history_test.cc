// Fifteen minutes in a ring, and what is concluded from them.
#include "sidecar/history.h"

#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using replication::Lsn;

constexpr std::int64_t kMiB = 1024 * 1024;

class HistoryTest : public ::testing::Test {
 protected:
  // So many seconds, each with these rows and this WAL more.
  void pass(int seconds, std::uint64_t rows = 0, std::int64_t wal = 0, std::int64_t kept = 0) {
    for (int i = 0; i < seconds; ++i) {
      status_.sink.rows += rows;
      end_ += wal;
      status_.server_end = static_cast<Lsn>(end_);
      status_.retained_wal_bytes += kept;
      now_us_ += 1000000;
      status_.slot_seen_us = now_us_;
      history_.sample(status_, now_us_);
    }
  }
  std::optional<double> loss() { return history_.seconds_to_loss(status_, now_us_); }

  Status status_;
  History history_;
  std::int64_t now_us_ = 1000000000, end_ = 1000;
};

TEST_F(HistoryTest, StepsOfFiveSeconds) {
  EXPECT_TRUE(history_.points().empty());
  pass(1);
  pass(5, 100, 1000);
  ASSERT_EQ(history_.points().size(), 1U);
  EXPECT_DOUBLE_EQ(history_.points()[0].rows_per_second, 100);
  EXPECT_DOUBLE_EQ(history_.points()[0].wal_per_second, 1000);
  pass(5, 20);
  ASSERT_EQ(history_.points().size(), 2U);
  EXPECT_DOUBLE_EQ(history_.points()[1].rows_per_second, 20);
}

TEST_F(HistoryTest, AStepHasItsLargestLag) {
  pass(2);
  status_.lag_seconds = 7;
  pass(1);
  status_.lag_seconds = 0.5;
  pass(3);
  ASSERT_EQ(history_.points().size(), 1U);
  EXPECT_DOUBLE_EQ(history_.points()[0].lag_seconds, 7);
  pass(5);
  EXPECT_DOUBLE_EQ(history_.points()[1].lag_seconds, 0.5);
}

TEST_F(HistoryTest, HoldsFifteenMinutesAndNoMore) {
  pass(1);
  for (int i = 0; i < 200; ++i) pass(5, static_cast<std::uint64_t>(i));
  const auto points = history_.points();
  ASSERT_EQ(points.size(), History::kPoints);
  EXPECT_DOUBLE_EQ(points.front().rows_per_second, 20);
  EXPECT_DOUBLE_EQ(points.back().rows_per_second, 199);
}

TEST_F(HistoryTest, RatesOfNowForgetQuickly) {
  pass(3, 50, 10);
  EXPECT_DOUBLE_EQ(history_.rows_per_second(), 50);
  EXPECT_DOUBLE_EQ(history_.wal_per_second(), 10);
  pass(6);
  EXPECT_DOUBLE_EQ(history_.rows_per_second(), 0);
  EXPECT_DOUBLE_EQ(history_.wal_per_second(), 0);
}

TEST_F(HistoryTest, TimeToLossAtThePaceOfTheLastMinutes) {
  status_.safe_wal_bytes = 600 * kMiB;
  pass(1);
  pass(300, 0, 2 * kMiB, 2 * kMiB);
  ASSERT_TRUE(loss());
  EXPECT_NEAR(*loss(), 300, 3);
  now_us_ += 100 * 1000000;  // nobody has looked since
  EXPECT_NEAR(*loss(), 200, 3);
  now_us_ += 1000 * 1000000LL;
  EXPECT_EQ(*loss(), 0);
}

TEST_F(HistoryTest, NoLossInSight) {
  pass(300, 0, kMiB, kMiB);
  status_.safe_wal_bytes = -1;
  EXPECT_FALSE(loss()) << "the server has no limit";
  status_.safe_wal_bytes = 100 * kMiB;
  EXPECT_TRUE(loss());
  status_.slot_seen_us = 0;
  EXPECT_FALSE(loss()) << "nobody has seen the slot";
}

// The server lets go of WAL now and then only: in between what it keeps grows, and that is no trend.
TEST_F(HistoryTest, ASawIsNoGrowth) {
  status_.safe_wal_bytes = 100 * kMiB;
  for (int tooth = 0; tooth < 20; ++tooth) {
    pass(15, 0, kMiB, kMiB);
    status_.retained_wal_bytes = 0;
  }
  pass(14, 0, kMiB, kMiB);
  EXPECT_FALSE(loss());
}

TEST_F(HistoryTest, ALostSlotIsLostNow) {
  status_.wal_status = "lost";
  EXPECT_EQ(loss(), 0);
}

}  // namespace
}  // namespace walrelay::sidecar
