// Stream against a scripted server: order, pauses, budgets, what the server is told, and every way to end.
#include "replication/stream.h"

#include "replication/reader.h"
#include "tests/support/fake_postgres.h"
#include "tests/support/loop_task.h"

namespace walrelay::replication {
namespace {

namespace backend = support::backend;
using std::chrono::milliseconds;
using support::FakePostgres;
using support::FakeSession;
using support::run_task;
using support::run_until;
using support::Status;

constexpr milliseconds kNever{600000};

class Recorder : public StreamHandler {
 public:
  bool on_data(std::string_view message, Lsn start, Lsn, std::int64_t) override {
    log.push_back(std::string(message.substr(0, 20)) + "@" + to_string(start));
    bytes += message.size();
    if (each) return each();
    return true;
  }
  bool on_keepalive(Lsn at, std::int64_t) override {
    log.push_back("keepalive@" + to_string(at));
    return !pause_at_keepalive;
  }
  void on_drained() override { ++drains; }
  void on_end(std::exception_ptr outcome) override {
    ++ends;
    try {
      if (outcome) std::rethrow_exception(outcome);
    } catch (const PostgresError& error) {
      end = error.what();
      sqlstate = error.sqlstate();
    } catch (const std::exception& error) {
      end = error.what();
    }
  }

  std::function<bool()> each;
  bool pause_at_keepalive = false;
  std::vector<std::string> log;
  std::size_t bytes = 0;
  int drains = 0, ends = 0;
  std::string end, sqlstate;
};

class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    ConnectionOptions options;
    options.parameters = {{"host", "127.0.0.1"},
                          {"port", std::to_string(server_.port())},
                          {"user", "u"},
                          {"dbname", "app"},
                          {"sslmode", "disable"}};
    options.replication = true;
    connection_ = std::make_unique<Connection>(loop_, options);
  }

  void begin(milliseconds status_interval = kNever) {
    run_task(loop_, connection_->open());
    run_task(loop_, connection_->begin_replication("START_REPLICATION", "start"));
    stream_ = std::make_unique<Stream>(loop_, *connection_, recorder_, status_interval);
    stream_->start();
  }
  FakeSession& server() { return server_.last(); }
  void turns(int count) {
    for (int i = 0; i < count; ++i) uv_run(loop_.raw(), UV_RUN_NOWAIT);
  }
  void expect_log(const std::vector<std::string>& expected) {
    run_until(loop_, [&] { return recorder_.log.size() >= expected.size(); });
    turns(5);
    EXPECT_EQ(recorder_.log, expected);
  }
  void expect_end(const std::string& part) {
    run_until(loop_, [&] { return recorder_.ends > 0; });
    turns(10);
    EXPECT_EQ(recorder_.ends, 1);
    EXPECT_THAT(recorder_.end, testing::HasSubstr(part));
  }

  event::Loop loop_;
  FakePostgres server_{loop_};
  Recorder recorder_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Stream> stream_;
};

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
  EXPECT_DEATH(stream_->confirm(Lsn{1}), "0/1 was confirmed but only 0/0 was received");
}

TEST_F(StreamTest, AsksWhereTheServerIs) {
  begin();
  stream_->request_keepalive();
  run_until(loop_, [&] { return !server().statuses.empty(); });
  EXPECT_EQ(server().statuses, (std::vector<Status>{{0, 0, 0, true}}));
}

// --- ends -------------------------------------------------------------------------------------------------------

struct Ending {
  const char* name;
  std::function<void(FakeSession&)> act;
  std::string message;  // empty: in order
  std::string sqlstate = {};
};
void PrintTo(const Ending& ending, std::ostream* out) { *out << ending.name; }

class StreamEnding : public StreamTest, public testing::WithParamInterface<Ending> {};

TEST_P(StreamEnding, IsToldOnceAfterEverythingBefore) {
  begin();
  server().send(backend::xlog(1, "a") + backend::xlog(2, "b"));
  GetParam().act(server());
  expect_end(GetParam().message);
  EXPECT_EQ(recorder_.end.empty(), GetParam().message.empty());
  EXPECT_EQ(recorder_.sqlstate, GetParam().sqlstate);
  EXPECT_EQ(recorder_.log, (std::vector<std::string>{"a@0/1", "b@0/2"}));
  stream_->confirm(Lsn{2});  // too late: without effect
  stream_->request_keepalive();
  stream_->resume();
  run_task(loop_, stream_->finish(milliseconds(1000)));
  turns(10);
  EXPECT_EQ(recorder_.ends, 1);
}

const std::string kFarewell = backend::error("FATAL", "57P01", "terminating walsender process");

INSTANTIATE_TEST_SUITE_P(
    Endings, StreamEnding,
    testing::Values(
        Ending{"InOrderAtShutdown",
               [](FakeSession& s) {
                 s.send(backend::complete("COPY 0"));
                 s.close();
               },
               ""},
        Ending{"InOrderWithTheLineStillOpen", [](FakeSession& s) { s.send(backend::complete("COPY 0")); }, ""},
        Ending{"InOrderWithCopyDone", [](FakeSession& s) { s.send(backend::copy_done()); }, ""},
        Ending{"Farewell",
               [](FakeSession& s) {
                 s.send(kFarewell);
                 s.close();
               },
               "terminating walsender process (57P01)", "57P01"},
        Ending{"FarewellOneByteAtATime", [](FakeSession& s) { s.send_slowly(kFarewell); },
               "terminating walsender process (57P01)", "57P01"},
        Ending{"Error",
               [](FakeSession& s) {
                 s.send(backend::error("ERROR", "42704", "publication does not exist") + backend::ready());
               },
               "publication does not exist (42704)", "42704"},
        Ending{"EndWithoutAWord", [](FakeSession& s) { s.close(); },
               "/app lost: server closed the connection unexpectedly"},
        Ending{"EndInTheMiddleOfAMessage",
               [](FakeSession& s) {
                 s.send(backend::xlog(3, "lost").substr(0, 17));
                 s.close();
               },
               "server closed the connection unexpectedly"},
        Ending{"EndInTheMiddleOfAFarewell",
               [](FakeSession& s) {
                 s.send(kFarewell.substr(0, 30));
                 s.close();
               },
               "server closed the connection unexpectedly"},
        Ending{"UnknownFrame", [](FakeSession& s) { s.send(backend::copy_data("?garbage")); }, "frame"},
        Ending{"ShortFrame", [](FakeSession& s) { s.send(backend::copy_data("w123")); }, "too short"},
        Ending{"Garbage", [](FakeSession& s) { s.send("\x01\xFF\xFF\xFF\xFF----"); }, "lost synchronization"}),
    [](const testing::TestParamInfo<Ending>& ending) { return ending.param.name; });

TEST_F(StreamTest, WhatTheHandlerThrowsEndsIt) {
  begin();
  recorder_.each = []() -> bool { throw ProtocolError("a row of an unknown relation"); };
  server().send(backend::xlog(1, "a") + backend::xlog(2, "b"));
  expect_end("a row of an unknown relation");
  EXPECT_EQ(recorder_.log.size(), 1U);
}

TEST_F(StreamTest, ALossWhilePausedIsToldAfterTheRest) {
  begin();
  recorder_.each = [] { return false; };
  server().send(backend::xlog(1, "a") + backend::xlog(2, "b") + kFarewell);
  server().close();
  expect_log({"a@0/1"});
  recorder_.each = nullptr;
  stream_->resume();
  expect_end("terminating walsender process (57P01)");
  EXPECT_EQ(recorder_.log.size(), 2U);
}

TEST_F(StreamTest, ALossWhilePausedIsNoticedByTheStatus) {
  begin(milliseconds(5));
  recorder_.each = [] { return false; };
  server().send(backend::xlog(1, "a"));
  expect_log({"a@0/1"});
  server().reset();
  expect_end(" lost: ");
}

TEST_F(StreamTest, MayBeDestroyedAfterItsEndWhilstTheSocketsNumberIsUsedAgain) {
  begin();
  server().send(kFarewell);
  server().close();
  run_until(loop_, [&] { return recorder_.ends > 0; });
  ConnectionOptions options;
  options.parameters = {
      {"host", "127.0.0.1"}, {"port", std::to_string(server_.port())}, {"user", "u"}, {"dbname", "app"}};
  Connection next(loop_, options);
  run_task(loop_, next.open());  // libpq closed the first one's socket: the number is free
  stream_.reset();
  connection_.reset();
  EXPECT_TRUE(run_task(loop_, next.query("SELECT 1", "ask")).empty());
}

TEST_F(StreamTest, MayBeDestroyedAtTheEndOfTheTurnInWhichItDelivers) {
  begin();
  event::Deferred destroy(loop_, [&] { stream_.reset(); });
  recorder_.each = [&] {
    destroy.schedule();
    return true;
  };
  server().send(backend::xlog(1, "a"));
  run_until(loop_, [&] { return stream_ == nullptr; });
  EXPECT_EQ(recorder_.ends, 0);
}

// --- finish -----------------------------------------------------------------------------------------------------

TEST_F(StreamTest, FinishesWithALastStatusAndCopyDone) {
  begin();
  server().send(backend::xlog(0x50, "x"));
  expect_log({"x@0/50"});
  stream_->confirm(Lsn{0x40});
  server_.on_copy_done = [](FakeSession& session, const std::string&) {
    session.send(backend::xlog(0x60, "late") + backend::keepalive(0x70, true) + backend::copy_done() +
                 backend::complete("COPY 0") + backend::complete("START_REPLICATION") + backend::ready());
  };
  run_task(loop_, stream_->finish(milliseconds(20000)));
  EXPECT_TRUE(server().copy_done);
  EXPECT_EQ(server().statuses, (std::vector<Status>{{0x50, 0x40, 0x40, false}, {0x50, 0x40, 0x40, false}}));
  EXPECT_EQ(recorder_.log.size(), 1U);
  EXPECT_EQ(recorder_.ends, 0);
}

TEST_F(StreamTest, FinishesWhilePausedAndFull) {
  begin();
  recorder_.each = [] { return false; };
  std::string all;
  for (std::uint64_t i = 1; i < 5000; ++i) all += backend::xlog(i, std::string(1000, 'x'));
  server().send(all);
  run_until(loop_, [&] { return stream_->paused(); });
  run_task(loop_, stream_->finish(milliseconds(20000)));
  EXPECT_TRUE(server().copy_done);
  EXPECT_EQ(recorder_.log.size(), 1U);
}

TEST_F(StreamTest, FinishWaitsNoLongerThanItMay) {
  begin();
  server_.on_copy_done = [](FakeSession&, const std::string&) {};
  const auto begun = std::chrono::steady_clock::now();
  run_task(loop_, stream_->finish(milliseconds(30)));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(29));
  EXPECT_TRUE(server().copy_done);
  EXPECT_EQ(recorder_.ends, 0);
}

TEST_F(StreamTest, FinishIsOverWhenTheConnectionBreaks) {
  begin();
  server_.on_copy_done = [](FakeSession& session, const std::string&) { session.reset(); };
  run_task(loop_, stream_->finish(kNever));
  EXPECT_EQ(recorder_.ends, 0);
}

TEST_F(StreamTest, FinishMayBeCancelled) {
  begin();
  server_.on_copy_done = [](FakeSession&, const std::string&) {};
  {
    const event::Job job(loop_, stream_->finish(kNever), nullptr);
    turns(3);
  }
  turns(3);
  stream_.reset();
  EXPECT_EQ(recorder_.ends, 0);
}

}  // namespace
}  // namespace walrelay::replication
