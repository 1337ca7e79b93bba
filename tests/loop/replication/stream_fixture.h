// What the tests of a Stream share: a fake server in the same loop, and a handler that keeps what it was given.
#pragma once

#include "replication/stream.h"
#include "tests/support/fake_postgres.h"
#include "tests/support/loop_task.h"

namespace walrelay::replication {

namespace backend = support::backend;
using std::chrono::milliseconds;
using support::FakePostgres;
using support::FakeSession;
using support::run_task;
using support::run_until;
using support::Status;

inline constexpr milliseconds kNever{600000};

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
  void on_drained() override {
    ++drains;
    if (each_drain) each_drain();
  }
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
  std::function<void()> each_drain;
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

}  // namespace walrelay::replication
