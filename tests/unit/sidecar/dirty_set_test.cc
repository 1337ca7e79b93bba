// The set of what must be read again: each once, readings of one after another, and when all of it stands in Redis.
#include "sidecar/dirty_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace walrelay::sidecar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DirtySet, OneMarkedTwiceIsReadOnce) {
  DirtySet set;
  EXPECT_TRUE(set.mark("a", 1));
  EXPECT_TRUE(set.mark("b", 2));
  EXPECT_FALSE(set.mark("a", 3)) << "its note stands already";
  EXPECT_THAT(set.take(10), ElementsAre("a", "b"));
  EXPECT_THAT(set.take(10), IsEmpty()) << "what is being read is given to nobody else";
}

TEST(DirtySet, TheOldestComeFirst) {
  DirtySet set;
  for (int i = 0; i < 5; ++i) (void)set.mark(std::to_string(9 - i), static_cast<std::uint64_t>(i + 1));
  EXPECT_THAT(set.take(2), ElementsAre("9", "8"));
  EXPECT_THAT(set.take(2), ElementsAre("7", "6"));
}

TEST(DirtySet, AMarkWhileItIsBeingReadKeepsTheNote) {
  DirtySet set;
  (void)set.mark("a", 1);
  (void)set.take(1);
  EXPECT_FALSE(set.mark("a", 2)) << "the note of the first mark stands";
  EXPECT_FALSE(set.landed("a", set.last_reading(), 0)) << "so the note must not go";
  EXPECT_THAT(set.take(1), ElementsAre("a"));
  EXPECT_TRUE(set.landed("a", set.last_reading(), 1));
}

TEST(DirtySet, AMarkAfterItHasLandedNeedsANewNote) {
  DirtySet set;
  (void)set.mark("a", 1);
  (void)set.take(1);
  EXPECT_TRUE(set.landed("a", set.last_reading(), 0));
  EXPECT_TRUE(set.mark("a", 2));
  set.retire(100);
  EXPECT_TRUE(set.contains("a")) << "the mark is younger than the batch";
  EXPECT_THAT(set.take(1), ElementsAre("a"));
}

TEST(DirtySet, SettledWhenRedisHasIt) {
  DirtySet set;
  (void)set.mark("a", 1);
  EXPECT_TRUE(set.settled_up_to(0));
  EXPECT_FALSE(set.settled_up_to(1));
  (void)set.take(1);
  EXPECT_FALSE(set.settled_up_to(1));
  (void)set.landed("a", set.last_reading(), 7);
  EXPECT_FALSE(set.settled_up_to(1)) << "its batch is on the way";
  set.retire(7);
  EXPECT_FALSE(set.settled_up_to(1));
  set.retire(8);
  EXPECT_TRUE(set.settled_up_to(1));
  EXPECT_EQ(set.size(), 0U);
}

TEST(DirtySet, LandedOnceMoreItWaitsForTheLaterBatch) {
  DirtySet set;
  (void)set.mark("a", 1);
  (void)set.take(1);
  (void)set.landed("a", set.last_reading(), 3);
  (void)set.mark("a", 2);
  (void)set.take(1);
  (void)set.landed("a", set.last_reading(), 5);
  set.retire(4);
  EXPECT_TRUE(set.contains("a"));
  set.retire(6);
  EXPECT_FALSE(set.contains("a"));
}

TEST(DirtySet, GivenBackItWaitsInItsOldPlace) {
  DirtySet set;
  (void)set.mark("a", 1);
  (void)set.mark("b", 2);
  (void)set.take(1);
  set.give_back("a", set.last_reading());
  set.give_back("b", set.last_reading());  // was not taken
  EXPECT_THAT(set.take(2), ElementsAre("a", "b"));
}

// A reader that has taken several lands one of them, and ends while somebody else already reads that one again.
TEST(DirtySet, WhatHasLandedIsNoLongerTheReaders) {
  DirtySet set;
  (void)set.mark("a", 1);
  (void)set.take(1);
  const auto first = set.last_reading();
  (void)set.mark("a", 2);
  EXPECT_FALSE(set.landed("a", first, 0));
  EXPECT_THAT(set.take(1), ElementsAre("a"));
  const auto second = set.last_reading();
  set.give_back("a", first);
  EXPECT_FALSE(set.drop("a", first));
  EXPECT_FALSE(set.may_land("a", first));
  EXPECT_FALSE(set.landed("a", first, 0));
  EXPECT_THAT(set.take(1), IsEmpty())
      << "a third would read it beside the second, and the older of the two could land last";
  EXPECT_TRUE(set.may_land("a", second));
  EXPECT_TRUE(set.landed("a", second, 1));
}

TEST(DirtySet, WhatIsForgottenIsGoneButForWhatIsBeingRead) {
  DirtySet set;
  for (const char* id : {"a", "b", "c"}) (void)set.mark(id, static_cast<std::uint64_t>(id[0]));
  (void)set.take(2);
  (void)set.mark("a", 200);
  set.forget_waiting();
  EXPECT_EQ(set.waiting(), 0U);
  EXPECT_FALSE(set.contains("c"));
  EXPECT_TRUE(set.drop("a", set.last_reading()))
      << "marked while it was being read; and its note has gone with all the others";
  EXPECT_FALSE(set.drop("b", set.last_reading()));
  EXPECT_FALSE(set.contains("b"));
  EXPECT_THAT(set.take(5), ElementsAre("a"));
}

TEST(DirtySet, AMarkAfterTheNotesAreGoneIsNotedAgain) {
  DirtySet set;
  (void)set.mark("a", 1);
  (void)set.take(1);
  set.forget_waiting();
  EXPECT_TRUE(set.mark("a", 2));
  EXPECT_FALSE(set.mark("a", 3));
}

TEST(DirtySet, WhatIsRemovedWhileItIsBeingReadMayNotLand) {
  DirtySet set;
  EXPECT_FALSE(set.removed("a", 1)) << "nobody reads it, so nobody brings it back";
  EXPECT_FALSE(set.contains("a"));
  (void)set.mark("a", 2);
  EXPECT_FALSE(set.removed("a", 3));
  (void)set.take(1);
  EXPECT_TRUE(set.may_land("a", set.last_reading()));
  EXPECT_FALSE(set.removed("a", 4)) << "its note stands";
  EXPECT_FALSE(set.may_land("a", set.last_reading()));
  EXPECT_FALSE(set.landed("a", set.last_reading(), 1));
  EXPECT_THAT(set.take(1), ElementsAre("a")) << "it may have come again";
  EXPECT_TRUE(set.may_land("a", set.last_reading()));
}

// Against a plain account of the same: whatever was marked after it was last taken is given out again, and only that.
TEST(DirtySet, RandomMarksAndReadings) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  DirtySet set;
  std::map<std::string, std::uint64_t> owed;  // id -> its last mark that no reading has covered
  std::map<std::string, std::pair<std::uint64_t, DirtySet::Reading>> reading;
  std::uint64_t number = 0, batch = 0;
  for (int step = 0; step < 20000; ++step) {
    const std::string id = std::to_string(random() % 40);
    switch (random() % 4) {
      case 0:
      case 1:
        (void)set.mark(id, ++number);
        owed[id] = number;
        break;
      case 2:
        for (const std::string& taken : set.take(random() % 5)) {
          ASSERT_EQ(reading.count(taken), 0U) << "read by two at once";
          ASSERT_EQ(owed.count(taken), 1U) << "nothing has marked it";
          reading[taken] = {owed[taken], set.last_reading()};
        }
        break;
      default:
        if (reading.empty()) break;
        const auto [done, taken] = *reading.begin();
        const bool note_goes = set.landed(done, taken.second, ++batch);
        ASSERT_EQ(note_goes, owed[done] == taken.first);
        if (note_goes) owed.erase(done);
        reading.erase(done);
        set.retire(batch - std::min<std::uint64_t>(batch, 2));
    }
    ASSERT_EQ(set.waiting() + reading.size() >= owed.size(), true);
  }
  for (const auto& [id, mark] : owed) EXPECT_TRUE(set.contains(id));
}

}  // namespace
}  // namespace walrelay::sidecar
