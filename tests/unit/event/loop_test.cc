#include "event/loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/loop_task.h"

namespace walrelay::event {
namespace {

using support::run_until;

TEST(Loop, EndsByItselfWhenNothingIsLeft) {
  Loop loop;
  loop.run();
}

TEST(Loop, IsDestroyedCleanAfterAStopThatNobodyRanInto) {
  Loop loop;
  Timer timer(loop, [] {});
  loop.stop();
}

TEST(LoopDeathTest, NamesAHandleThatOutlivesIt) {
  EXPECT_DEATH(
      {
        auto loop = std::make_unique<Loop>();
        Timer timer(*loop, [] {});
        timer.start(milliseconds(1), milliseconds(1));
        loop.reset();
      },
      "a timer outlived its loop");
}

TEST(Deferred, RunsOnceAtTheEndOfTheTurnHoweverOftenItIsScheduled) {
  Loop loop;
  int runs = 0;
  Deferred deferred(loop, [&] { ++runs; });
  deferred.schedule();
  deferred.schedule();
  EXPECT_TRUE(deferred.scheduled());
  EXPECT_EQ(runs, 0);
  loop.run();
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(deferred.scheduled());
}

TEST(Deferred, ScheduledFromADeferredWaitsForTheNextTurn) {
  Loop loop;
  std::string order;
  Deferred second(loop, [&] { order += "second "; });
  Deferred first(loop, [&] {
    order += "first ";
    second.schedule();
  });
  first.schedule();
  uv_run(loop.raw(), UV_RUN_NOWAIT);
  EXPECT_EQ(order, "first ");
  uv_run(loop.raw(), UV_RUN_NOWAIT);
  EXPECT_EQ(order, "first second ");
}

TEST(Deferred, CancelledByAnotherOfTheSameTurn) {
  Loop loop;
  int runs = 0;
  auto victim = std::make_unique<Deferred>(loop, [&] { ++runs; });
  Deferred killer(loop, [&] { victim.reset(); });
  killer.schedule();
  victim->schedule();
  loop.run();
  EXPECT_EQ(runs, 0);
}

TEST(Deferred, MayDestroyItself) {
  Loop loop;
  const std::string text(100, 'x');  // in the closure: a use after free would be seen
  std::string seen;
  std::unique_ptr<Deferred> self;
  self = std::make_unique<Deferred>(loop, [&seen, &self, text] {
    self.reset();
    seen = text;
  });
  self->schedule();
  loop.run();
  EXPECT_EQ(seen, text);
}

TEST(Deferred, RunsWhileTheLoopHasNothingElseToWaitFor) {
  Loop loop;
  int left = 100;
  std::unique_ptr<Deferred> again;
  again = std::make_unique<Deferred>(loop, [&] {
    if (--left > 0) again->schedule();
  });
  again->schedule();
  loop.run();
  EXPECT_EQ(left, 0);
}

TEST(Timer, FiresOnceOrRepeatedlyUntilStopped) {
  Loop loop;
  int once = 0, often = 0;
  Timer single(loop, [&] { ++once; });
  std::unique_ptr<Timer> repeating;
  repeating = std::make_unique<Timer>(loop, [&] {
    if (++often == 3) repeating->stop();
  });
  single.start(milliseconds(0));
  repeating->start(milliseconds(1), milliseconds(1));
  EXPECT_TRUE(single.active());
  loop.run();
  EXPECT_EQ(once, 1);
  EXPECT_EQ(often, 3);
  EXPECT_FALSE(single.active());
}

TEST(Timer, StartedAgainForgetsTheFirstTime) {
  Loop loop;
  std::string order;
  Timer late(loop, [&] { order += "late "; });
  Timer early(loop, [&] { order += "early "; });
  late.start(milliseconds(1));
  late.start(milliseconds(30));
  early.start(milliseconds(10));
  loop.run();
  EXPECT_EQ(order, "early late ");
}

TEST(Timer, CountsFromNowEvenInALongTurn) {
  Loop loop;
  const auto begun = std::chrono::steady_clock::now();
  auto fired = begun;
  auto started = begun;
  Timer second(loop, [&] { fired = std::chrono::steady_clock::now(); });
  Timer first(loop, [&] {
    while (std::chrono::steady_clock::now() - begun < milliseconds(40)) {
    }
    started = std::chrono::steady_clock::now();
    second.start(milliseconds(30));
  });
  first.start(milliseconds(0));
  loop.run();
  EXPECT_GE(fired - started, milliseconds(29));  // the loop counts whole milliseconds
}

TEST(Timer, NegativeTimesAreNow) {
  Loop loop;
  int runs = 0;
  Timer timer(loop, [&] { ++runs; });
  timer.start(milliseconds(-5), milliseconds(-5));
  loop.run();
  EXPECT_EQ(runs, 1);
}

TEST(Timer, DestroyedBeforeItsTimeStaysSilent) {
  Loop loop;
  int runs = 0;
  auto victim = std::make_unique<Timer>(loop, [&] { ++runs; });
  victim->start(milliseconds(5));
  Timer killer(loop, [&] { victim.reset(); });
  killer.start(milliseconds(1));
  Timer after(loop, [] {});
  after.start(milliseconds(10));
  loop.run();
  EXPECT_EQ(runs, 0);
}

class PollTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
  void TearDown() override {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  void put(int end) const { ASSERT_EQ(::write(ends_[end], "x", 1), 1); }
  void take(int end) const {
    char byte = 0;
    ASSERT_EQ(::read(ends_[end], &byte, 1), 1);
  }
  int ends_[2] = {-1, -1};
  Loop loop_;
};

TEST_F(PollTest, TellsTheDirectionsThatAreWatched) {
  std::vector<int> seen;
  Poll poll(loop_, ends_[0], [&](int directions) { seen.push_back(directions); });
  poll.watch(Poll::writable);
  uv_run(loop_.raw(), UV_RUN_ONCE);
  put(1);
  poll.watch(Poll::readable);
  uv_run(loop_.raw(), UV_RUN_ONCE);
  poll.watch(Poll::readable | Poll::writable);
  uv_run(loop_.raw(), UV_RUN_ONCE);
  poll.watch(Poll::none);
  uv_run(loop_.raw(), UV_RUN_NOWAIT);
  EXPECT_EQ(seen, (std::vector<int>{Poll::writable, Poll::readable, Poll::readable | Poll::writable}));
}

TEST_F(PollTest, TwoInARowOnOneDescriptor) {
  for (int round = 0; round < 3; ++round) {
    bool seen = false;
    Poll poll(loop_, ends_[0], [&](int) { seen = true; });
    poll.watch(Poll::writable);
    run_until(loop_, [&] { return seen; });
  }
}

TEST_F(PollTest, ClosedFromItsOwnCallbackWhileItsDescriptorIsGivenToAnother) {
  std::unique_ptr<Poll> next;
  int seen = 0;
  Poll poll(loop_, ends_[0], [&](int) {
    const int number = ends_[0];
    ::close(ends_[0]);
    poll.close();
    ::close(ends_[1]);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
    ASSERT_EQ(ends_[0], number);  // or this test would show nothing
    next = std::make_unique<Poll>(loop_, ends_[0], [&](int) {
      take(0);
      ++seen;
    });
    next->watch(Poll::readable);
  });
  put(1);
  poll.watch(Poll::readable);
  uv_run(loop_.raw(), UV_RUN_ONCE);
  poll.watch(Poll::readable);  // closed: without effect
  for (int i = 1; i <= 3; ++i) {
    put(1);
    run_until(loop_, [&] { return seen == i; });
  }
}

TEST_F(PollTest, DestroyedWhileReadyStaysSilent) {
  bool called = false;
  auto poll = std::make_unique<Poll>(loop_, ends_[0], [&](int) { called = true; });
  poll->watch(Poll::writable);
  poll.reset();
  loop_.run();
  EXPECT_FALSE(called);
}

TEST(Signal, IsDeliveredAndKeepsNoLoopAlive) {
  Loop loop;
  int seen = 0;
  Signal signal(loop, SIGUSR1, [&] { ++seen; });
  loop.run();
  ASSERT_EQ(raise(SIGUSR1), 0);
  Timer alive(loop, [] {});
  alive.start(milliseconds(20000));
  run_until(loop, [&] { return seen == 1; });
}

}  // namespace
}  // namespace walrelay::event
