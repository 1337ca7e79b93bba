// Every way a Stream can end, and its own way to finish.
#include "replication/reader.h"
#include "tests/loop/replication/stream_fixture.h"

namespace walrelay::replication {
namespace {

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
