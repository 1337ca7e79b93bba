// The sleep of a loop that has nothing else to do.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/loop.h"

namespace walrelay::event {
namespace {

constexpr std::chrono::microseconds kShort{100};

TEST(Nap, RunsAfterASleepThatNothingDeferredHasToWaitFor) {
  Loop loop;
  std::string order;
  std::chrono::nanoseconds slept{-1};
  Deferred second(loop, [&] { order += "second "; });
  Deferred first(loop, [&] {
    order += "first ";
    second.schedule();
    slept = loop.napped();
  });
  Nap nap(loop, kShort, [&] { order += "nap "; });
  nap.schedule();
  nap.schedule();
  EXPECT_TRUE(nap.scheduled());
  first.schedule();
  const auto begun = std::chrono::steady_clock::now();
  loop.run();
  EXPECT_EQ(order, "first second nap ");
  EXPECT_FALSE(nap.scheduled());
  EXPECT_EQ(slept.count(), 0);
  EXPECT_EQ(loop.napped(), kShort);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, kShort);
}

TEST(Nap, IsNotForgottenByALoopThatIsNeverDone) {
  Loop loop;
  bool rested = false;
  std::unique_ptr<Deferred> again;
  again = std::make_unique<Deferred>(loop, [&] {
    if (!rested) again->schedule();
  });
  Nap nap(loop, kShort, [&] { rested = true; });
  again->schedule();
  nap.schedule();
  loop.run();
  EXPECT_TRUE(rested);
  EXPECT_EQ(loop.napped().count(), 0);
}

TEST(Nap, KeepsTheLoopAwakeAndLooksAtDescriptorsInBetween) {
  Loop loop;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  bool readable = false;
  std::unique_ptr<Poll> poll = std::make_unique<Poll>(loop, pair[0], [&](int) {
    readable = true;
    poll->watch(Poll::none);
  });
  int naps = 0;
  std::unique_ptr<Nap> nap;
  nap = std::make_unique<Nap>(loop, kShort, [&] {
    if (++naps == 3) {
      EXPECT_EQ(write(pair[1], "x", 1), 1);
    }
    if (!readable) nap->schedule();
  });
  poll->watch(Poll::readable);
  nap->schedule();
  loop.run();
  EXPECT_TRUE(readable);
  EXPECT_GE(naps, 3);
  poll->close();
  close(pair[0]);
  close(pair[1]);
}

TEST(Nap, DoesNotSleepWhileADescriptorIsReady) {
  Loop loop;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  ASSERT_EQ(write(pair[1], "x", 1), 1);
  int ready = 0, naps = 0;
  Poll poll(loop, pair[0], [&](int) { ++ready; });  // never read
  std::unique_ptr<Nap> nap;
  nap = std::make_unique<Nap>(loop, kShort, [&] {
    if (++naps == 10) return poll.close();
    nap->schedule();
  });
  poll.watch(Poll::readable);
  nap->schedule();
  loop.run();
  EXPECT_EQ(naps, 10);
  EXPECT_GE(ready, 10);
  EXPECT_EQ(loop.napped().count(), 0);
  close(pair[0]);
  close(pair[1]);
}

TEST(Nap, CancelledOrDestroyedByAnotherIsNotCalled) {
  Loop loop;
  int runs = 0;
  Nap cancelled(loop, kShort, [&] { ++runs; });
  cancelled.schedule();
  cancelled.cancel();
  EXPECT_FALSE(cancelled.scheduled());
  std::unique_ptr<Nap> victim;
  Nap killer(loop, kShort, [&] { victim.reset(); });
  victim = std::make_unique<Nap>(loop, kShort, [&] { ++runs; });
  killer.schedule();
  victim->schedule();
  loop.run();
  EXPECT_EQ(runs, 0);
}

TEST(Nap, MayDestroyItself) {
  Loop loop;
  const std::string text(100, 'x');  // in the closure: a use after free would be seen
  std::string seen;
  std::unique_ptr<Nap> self;
  self = std::make_unique<Nap>(loop, kShort, [&seen, &self, text] {
    self.reset();
    seen = text;
  });
  self->schedule();
  loop.run();
  EXPECT_EQ(seen, text);
}

}  // namespace
}  // namespace walrelay::event
