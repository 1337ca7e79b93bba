// When the socket is watched and when it is polled, by a clock of the test's own.
#include "replication/wakeup_pace.h"

#include <gtest/gtest.h>

namespace walrelay::replication {
namespace {

using std::chrono::microseconds;

class WakeupPaceTest : public testing::Test {
 protected:
  // A wake-up that long after the last drain, which took a while and brought so many bytes.
  void wake(microseconds after, std::size_t bytes = 100) {
    now_ += after;
    pace_.woken(now_);
    drain(bytes);
  }
  void drain(std::size_t bytes) {
    now_ += microseconds(500);
    pace_.drained(bytes, now_);
  }
  void wake_at_once(int times) {
    for (int i = 0; i < times; ++i) wake(microseconds(10));
  }

  WakeupPace pace_;
  WakeupPace::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(WakeupPaceTest, AFewMessagesAreWaitedFor) {
  wake(microseconds(1000));
  wake_at_once(7);
  EXPECT_FALSE(pace_.polling());
  wake(microseconds(1000));  // the next transaction
  wake_at_once(7);
  EXPECT_FALSE(pace_.polling());
}

TEST_F(WakeupPaceTest, WhatComesAtOnceAgainAndAgainIsPolled) {
  wake(microseconds(1000));
  wake_at_once(8);
  EXPECT_TRUE(pace_.polling());
}

TEST_F(WakeupPaceTest, WakeUpsThatBringNothingAreNoBacklog) {
  for (int i = 0; i < 100; ++i) wake(microseconds(10), 0);
  EXPECT_FALSE(pace_.polling());
}

TEST_F(WakeupPaceTest, IsWatchedAgainWhenNothingCame) {
  wake_at_once(9);
  ASSERT_TRUE(pace_.polling());
  for (int i = 0; i < 100; ++i) {  // the server decodes: some reads bring nothing
    for (int j = 0; j < 7; ++j) drain(0);
    drain(1);
  }
  EXPECT_TRUE(pace_.polling());
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(pace_.polling()) << i;
    drain(0);
  }
  EXPECT_FALSE(pace_.polling());
  wake_at_once(7);
  EXPECT_FALSE(pace_.polling());  // it takes as long as the first time
  wake_at_once(1);
  EXPECT_TRUE(pace_.polling());
}

}  // namespace
}  // namespace walrelay::replication
