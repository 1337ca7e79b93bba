#include "event/task.h"

#include <stdexcept>

#include "tests/support/loop_task.h"

namespace walrelay::event {
namespace {

using support::run_task;
using support::run_until;

// Counts its living instances: what a cancelled coroutine must destroy exactly once.
class Guest {
 public:
  explicit Guest(int& living) : living_(living) { ++living_; }
  ~Guest() { --living_; }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

 private:
  int& living_;
};

Task<int> immediately(int value) { co_return value; }

Task<int> after(Event& event, int value, int& living) {
  const Guest guest(living);
  co_await event;
  co_return value;
}

Task<int> fails(Event& event) {
  co_await event;
  throw std::runtime_error("as expected");
}

TEST(Task, IsLazyAndPassesItsValueUp) {
  Loop loop;
  EXPECT_EQ(run_task(loop, immediately(7)), 7);
  static_cast<void>(immediately(8));  // never awaited: only destroyed
}

TEST(Task, PassesItsExceptionUp) {
  Loop loop;
  Event event(loop);
  event.set();
  EXPECT_THROW(run_task(loop, fails(event)), std::runtime_error);
}

Task<> wait_many_times(Event& event, int times, int& done) {
  for (; done < times; ++done) co_await event;
}

TEST(Task, ManyAwaitsOfASetEventDoNotEatTheStack) {
  Loop loop;
  Event event(loop);
  event.set();
  int done = 0;
  run_task(loop, wait_many_times(event, 20000, done));
  EXPECT_EQ(done, 20000);
}

TEST(Job, RunsAtOnceAndReportsAtTheEndOfTheTurn) {
  Loop loop;
  bool reported = false;
  int done = 0;
  Event unused(loop);
  Job job(loop, wait_many_times(unused, 0, done), [&](std::exception_ptr error) {
    EXPECT_EQ(error, nullptr);
    reported = true;
  });
  EXPECT_TRUE(job.finished());
  EXPECT_FALSE(reported);
  loop.run();
  EXPECT_TRUE(reported);
}

TEST(Job, MayBeDestroyedByItsOwnReport) {
  Loop loop;
  int done = 0;
  Event unused(loop);
  std::unique_ptr<Job> job;
  job = std::make_unique<Job>(loop, wait_many_times(unused, 0, done), [&](std::exception_ptr) { job.reset(); });
  loop.run();
  EXPECT_EQ(job, nullptr);
}

TEST(Job, DestroyedBeforeItsReportStaysSilent) {
  Loop loop;
  int done = 0;
  Event unused(loop);
  bool reported = false;
  auto job =
      std::make_unique<Job>(loop, wait_many_times(unused, 0, done), [&](std::exception_ptr) { reported = true; });
  job.reset();
  loop.run();
  EXPECT_FALSE(reported);
}

Task<> note(Event& event, std::string name, std::string& order) {
  co_await event;
  order += name + " ";
}

class EventTest : public testing::Test {
 protected:
  void wait_as(const std::string& name) {
    jobs_.push_back(std::make_unique<Job>(loop_, note(*event_, name, order_), nullptr));
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) uv_run(loop_.raw(), UV_RUN_NOWAIT);
  }
  Loop loop_;
  std::string order_;
  std::unique_ptr<Event> event_ = std::make_unique<Event>(loop_);
  std::vector<std::unique_ptr<Job>> jobs_;
};

TEST_F(EventTest, WakesAllWhoWaitedInOrder) {
  for (const char* name : {"a", "b", "c"}) wait_as(name);
  turns(2);
  EXPECT_EQ(order_, "");
  event_->set();
  EXPECT_EQ(order_, "");  // never inside set()
  turns(4);
  EXPECT_EQ(order_, "a b c ");
}

TEST_F(EventTest, ResetBeforeTheTurnEndsDoesNotLoseAWaker) {
  for (const char* name : {"a", "b"}) wait_as(name);
  event_->set();
  event_->reset();
  wait_as("late");
  turns(4);
  EXPECT_EQ(order_, "a b ");
  event_->set();
  turns(2);
  EXPECT_EQ(order_, "a b late ");
}

Task<> wait_twice(Event& event, std::string& order) {
  co_await event;
  order += "once ";
  event.reset();
  co_await event;
  order += "twice ";
}

TEST_F(EventTest, WhoWaitsAgainAfterAResetIsNotWokenByTheOldSet) {
  jobs_.push_back(std::make_unique<Job>(loop_, wait_twice(*event_, order_), nullptr));
  wait_as("other");
  event_->set();
  turns(6);
  EXPECT_EQ(order_, "once other ");
  event_->set();
  turns(2);
  EXPECT_EQ(order_, "once other twice ");
}

TEST_F(EventTest, AWaiterThatIsDestroyedLeavesTheOthers) {
  for (const char* name : {"a", "b", "c"}) wait_as(name);
  jobs_[0].reset();
  event_->set();
  jobs_[1].reset();
  turns(4);
  EXPECT_EQ(order_, "c ");
}

TEST_F(EventTest, DestroyedItLeavesItsWaitersAsleep) {
  for (const char* name : {"a", "b"}) wait_as(name);
  event_->set();
  wait_as("c");
  event_.reset();
  turns(4);
  EXPECT_EQ(order_, "");
  jobs_.clear();
}

TEST_F(EventTest, AWaiterMayDestroyIt) {
  struct Local {
    static Task<> destroy(std::unique_ptr<Event>& event) {
      Event& waited = *event;
      co_await waited;
      event.reset();
    }
  };
  const Job job(loop_, Local::destroy(event_), nullptr);
  wait_as("never");
  event_->set();
  turns(4);
  EXPECT_EQ(event_, nullptr);
  EXPECT_EQ(order_, "");
  jobs_.clear();
}

// A tree of waits with timers, a name look-up, nested tasks and an exception on the way.
Task<> busy_life(Loop& loop, Event& event, int& living) {
  const Guest guest(living);
  for (int round = 0; round < 3; ++round) {
    auto pausing = sleep(loop, milliseconds(1));
    co_await std::move(pausing);
    auto waiting = after(event, round, living);
    const int value = co_await std::move(waiting);
    EXPECT_EQ(value, round);
    try {
      auto failing = fails(event);
      co_await std::move(failing);
    } catch (const std::runtime_error&) {
      ++living;
      --living;
    }
    auto resolving = resolve(loop, "127.0.0.1");
    const auto addresses = co_await std::move(resolving);
    EXPECT_EQ(addresses, std::vector<std::string>{"127.0.0.1"});
  }
}

TEST(Cancellation, AtEveryInstant) {
  bool finished = false;
  for (int turns = 0; !finished; ++turns) {
    ASSERT_LT(turns, 100000);
    Loop loop;
    Event event(loop);
    event.set();
    int living = 0;
    auto job = std::make_unique<Job>(loop, busy_life(loop, event, living), nullptr);
    for (int turn = 0; turn < turns && !job->finished(); ++turn) uv_run(loop.raw(), UV_RUN_ONCE);
    finished = job->finished();
    EXPECT_EQ(living > 0, !finished) << turns;
    job.reset();
    EXPECT_EQ(living, 0) << "cancelled after " << turns << " turns";
    loop.run();
  }
}

TEST(Sleep, LastsAsLongAsItSays) {
  Loop loop;
  const auto begun = std::chrono::steady_clock::now();
  run_task(loop, sleep(loop, milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(19));
}

TEST(Resolve, NumericAddressesStayAsTheyAre) {
  Loop loop;
  EXPECT_EQ(run_task(loop, resolve(loop, "127.0.0.1")), std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(run_task(loop, resolve(loop, "::1")), std::vector<std::string>{"::1"});
}

TEST(Resolve, FindsEachAddressOfLocalhostOnce) {
  Loop loop;
  auto found = run_task(loop, resolve(loop, "localhost"));
  EXPECT_FALSE(found.empty());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
}

TEST(Resolve, NamesTheHostThatHasNoAddress) {
  Loop loop;
  for (const char* host : {"no such host", "256.256.256.256.", "xn--"}) {
    try {
      run_task(loop, resolve(loop, host));
      ADD_FAILURE() << host << " was resolved";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::StartsWith("resolve \"" + std::string(host) + "\": "));
    }
  }
}

TEST(Resolve, AHostNameThatIsTooLongIsAnErrorToo) {
  Loop loop;
  EXPECT_THROW(run_task(loop, resolve(loop, std::string(5000, 'x'))), std::runtime_error);
}

}  // namespace
}  // namespace walrelay::event
