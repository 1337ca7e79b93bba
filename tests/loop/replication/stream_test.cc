// Stream against a scripted server: order, pauses, budgets, what the server is told.
#include "tests/loop/replication/stream_fixture.h"

namespace walrelay::replication {
namespace {

TEST_F(StreamTest, DeliversInOrderAndCounts) {
  begin();
  server().send(backend::xlog(0x10, "begin") + backend::xlog(0x20, "insert") + backend::xlog(0, "relation") +
                backend::keepalive(0x30, false));
  expect_log({"begin@0/10", "insert@0/20", "relation@0/0", "keepalive@0/30"});
  EXPECT_EQ(stream_->received(), Lsn{0x30});
  EXPECT_EQ(stream_->counters().messages, 4U);
  EXPECT_EQ(stream_->counters().bytes, 3 * 25 + 5 + 6 + 8 + 18U);
  EXPECT_GE(stream_->counters().wakeups, 1U);
  EXPECT_GE(recorder_.drains, 1);
  server().send(backend::xlog(0x20, "older"));
  expect_log({"begin@0/10", "insert@0/20", "relation@0/0", "keepalive@0/30", "older@0/20"});
  EXPECT_EQ(stream_->received(), Lsn{0x30});
}

TEST_F(StreamTest, DeliversWhatCameTogetherWithTheAnswer) {
  server_.on_query = [](FakeSession& session, const std::string&) {
    session.send(backend::copy_both() + backend::xlog(0x10, "early"));
  };
  begin();
  expect_log({"early@0/10"});
}

TEST_F(StreamTest, DeliversOneByteAtATime) {
  begin();
  server().send_slowly(backend::xlog(0x10, "slow") + backend::notice("hm") + backend::keepalive(0x20, false));
  expect_log({"slow@0/10", "keepalive@0/20"});
}

TEST_F(StreamTest, ResumesWithWhatIsAtHandThoughNoByteComes) {
  begin();
  recorder_.each = [] { return false; };
  server().send(backend::xlog(1, "a") + backend::xlog(2, "b") + backend::xlog(3, "c"));
  expect_log({"a@0/1"});
  EXPECT_TRUE(stream_->paused());
  stream_->resume();
  EXPECT_FALSE(stream_->paused());
  expect_log({"a@0/1", "b@0/2"});
  recorder_.each = nullptr;
  stream_->resume();
  expect_log({"a@0/1", "b@0/2", "c@0/3"});
  server().send(backend::xlog(4, "d"));  // and listens again
  expect_log({"a@0/1", "b@0/2", "c@0/3", "d@0/4"});
}

TEST_F(StreamTest, PausesAtAKeepaliveToo) {
  begin();
  recorder_.pause_at_keepalive = true;
  server().send(backend::keepalive(1, true) + backend::xlog(2, "b"));
  expect_log({"keepalive@0/1"});
  run_until(loop_, [&] { return !server().statuses.empty(); });  // the request was answered all the same
  stream_->resume();
  expect_log({"keepalive@0/1", "b@0/2"});
}

TEST_F(StreamTest, ResumedInsideTheHandlersCallGoesOn) {
  begin();
  recorder_.each = [&] {
    stream_->resume();
    return false;
  };
  server().send(backend::xlog(1, "a") + backend::xlog(2, "b"));
  expect_log({"a@0/1", "b@0/2"});
  EXPECT_FALSE(stream_->paused());
}

TEST_F(StreamTest, DoesNotReadWhilePaused) {
  begin();
  recorder_.each = [] { return false; };
  server().send(backend::xlog(1, "first"));
  expect_log({"first@0/1"});
  const auto wakeups = stream_->counters().wakeups;
  server().send(backend::xlog(2, "second"));
  turns(20);
  EXPECT_EQ(stream_->counters().wakeups, wakeups);
  EXPECT_EQ(stream_->counters().messages, 1U);
}

TEST_F(StreamTest, GivesTheLoopItsTurnAndGoesOnWithoutNewBytes) {
  begin();
  constexpr std::size_t kMessages = 4000, kSize = 1000;
  std::string all;
  for (std::size_t i = 0; i < kMessages; ++i) all += backend::xlog(i + 1, std::string(kSize, 'x'));
  server().send(all);  // then silence
  std::size_t most = 0;
  while (recorder_.bytes < kMessages * kSize) {
    const std::size_t before = recorder_.bytes;
    uv_run(loop_.raw(), UV_RUN_ONCE);
    most = std::max(most, recorder_.bytes - before);
  }
  EXPECT_EQ(recorder_.log.size(), kMessages);
  EXPECT_LE(most, 600'000U);  // a budget when the socket is ready, and one more for what was left of it
}

TEST_F(StreamTest, ContinuesInTheNextTurnWithoutTheSocket) {
  begin();
  // More than a budget in one message's shadow: libpq holds all of it after one read of the small messages behind.
  std::string all = backend::xlog(1, std::string(400'000, 'x'));
  for (std::uint64_t i = 2; i < 200; ++i) all += backend::xlog(i, "y");
  server().send(all);
  run_until(loop_, [&] { return recorder_.log.size() == 199; });
  EXPECT_EQ(recorder_.log.back(), "y@0/C7");
}

// A server that sends a message whenever the last one was read, until the stream no longer waits to be woken.
class PolledStreamTest : public StreamTest {
 protected:
  void begin_and_hurry() {
    begin();
    recorder_.each_drain = [this] { send_next(); };
    send_next();
    run_until(loop_, [&] { return loop_.napped().count() > 0; });
  }
  void send_next() { server().send(backend::xlog(++sent_, "m")); }
  void expect_all() {
    run_until(loop_, [&] { return recorder_.log.size() >= sent_; });
    for (std::size_t i = 0; i < recorder_.log.size(); ++i) {
      EXPECT_EQ(recorder_.log[i], "m@" + to_string(Lsn{i + 1}));
    }
    EXPECT_EQ(recorder_.log.size(), sent_);
  }
  // Quiet for so long that it waits again.
  void expect_no_more_naps() {
    turns(100);
    const auto napped = loop_.napped();
    turns(20);
    EXPECT_EQ(loop_.napped(), napped);
  }

  std::uint64_t sent_ = 0;
};

TEST_F(PolledStreamTest, GoesOnAndIsWokenAgainAfterQuiet) {
  begin_and_hurry();
  const std::uint64_t enough = sent_ + 100;
  run_until(loop_, [&] { return sent_ >= enough; });
  recorder_.each_drain = nullptr;
  expect_all();
  expect_no_more_naps();
  send_next();
  expect_all();
}

TEST_F(PolledStreamTest, PausesAndResumes) {
  begin_and_hurry();
  recorder_.each_drain = nullptr;
  expect_all();
  recorder_.each = [] { return false; };
  send_next();
  run_until(loop_, [&] { return stream_->paused(); });
  const auto napped = loop_.napped();
  send_next();
  turns(20);
  EXPECT_EQ(recorder_.log.size(), sent_ - 1);
  EXPECT_EQ(loop_.napped(), napped);  // nothing to read for
  recorder_.each = nullptr;
  stream_->resume();
  expect_all();
}

TEST_F(PolledStreamTest, NoticesThatTheServerHasGone) {
  begin_and_hurry();
  recorder_.each_drain = nullptr;
  expect_all();
  server().close();
  expect_end("closed the connection");
}

TEST_F(StreamTest, AnswersAtOnceWithoutAStatementAboutFlush) {
  begin();
  server().send(backend::xlog(0x50, "x") + backend::keepalive(0x60, true) + backend::keepalive(0x70, false));
  run_until(loop_, [&] { return !server().statuses.empty(); });
  turns(10);
  EXPECT_EQ(server().statuses, (std::vector<Status>{{0x60, 0, 0, false}}));
}

TEST_F(StreamTest, KeepsTheServerInformedAlsoWhilePaused) {
  begin(milliseconds(5));
  recorder_.each = [] { return false; };
  server().send(backend::xlog(0x50, "x"));
  run_until(loop_, [&] { return server().statuses.size() >= 5; });
  EXPECT_TRUE(stream_->paused());
  EXPECT_EQ(server().statuses.back(), (Status{0x50, 0, 0, false}));
}

TEST_F(StreamTest, ConfirmsOnceAndNeverBackwards) {
  begin();
  server().send(backend::xlog(0x50, "x"));
  expect_log({"x@0/50"});
  stream_->confirm(Lsn{0x40});
  stream_->confirm(Lsn{0x40});
  stream_->confirm(Lsn{0x30});
  stream_->confirm(Lsn{0x50});
  EXPECT_EQ(stream_->confirmed(), Lsn{0x50});
  run_until(loop_, [&] { return server().statuses.size() >= 2; });
  turns(10);
  EXPECT_EQ(server().statuses, (std::vector<Status>{{0x50, 0x40, 0x40, false}, {0x50, 0x50, 0x50, false}}));
}

TEST_F(StreamTest, AfterAConfirmationItStillMakesNoOtherStatement) {
  begin(milliseconds(5));
  server().send(backend::xlog(0x50, "x"));
  expect_log({"x@0/50"});
  stream_->confirm(Lsn{0x50});
  run_until(loop_, [&] { return server().statuses.size() >= 4; });
  int statements = 0;
  for (const Status& status : server().statuses) {
    if (status.flushed != 0) ++statements;
    EXPECT_EQ(status.flushed, status.applied);
  }
  EXPECT_EQ(statements, 1);
}

using StreamDeathTest = StreamTest;
TEST_F(StreamDeathTest, ConfirmingWhatWasNotReceivedAborts) {
  begin();
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the resolver has threads
  EXPECT_DEATH(stream_->confirm(Lsn{1}), "0/1 was confirmed but only 0/0 was received");
}

TEST_F(StreamTest, AsksWhereTheServerIs) {
  begin();
  stream_->request_keepalive();
  run_until(loop_, [&] { return !server().statuses.empty(); });
  EXPECT_EQ(server().statuses, (std::vector<Status>{{0, 0, 0, true}}));
}

}  // namespace
}  // namespace walrelay::replication
