// Stream against a real walsender: what it delivers, what a confirmation does, pauses, shutdowns.
#include "replication/stream.h"

#include <atomic>
#include <thread>

#include "replication/slot.h"
#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {
namespace {

using std::chrono::milliseconds;
using support::Postgres;
using support::run_task;
using support::run_until;

// Keeps the types of the messages, and where the last commit ended.
class Recorder : public StreamHandler {
 public:
  bool on_data(std::string_view message, Lsn start, Lsn, std::int64_t) override {
    // The server tells a relation again whenever anything of it may have changed, also in its own time.
    if (message[0] != 'R' || types.find('R') == std::string::npos) types += message[0];
    bytes += message.size();
    if (message[0] == 'C') commit_end = start;
    return !pause_always;
  }
  bool on_keepalive(Lsn, std::int64_t) override {
    ++keepalives;
    return true;
  }
  void on_drained() override {}
  void on_end(std::exception_ptr outcome) override {
    ended = true;
    try {
      if (outcome) std::rethrow_exception(outcome);
    } catch (const PostgresError& error) {
      end = error.what();
      sqlstate = error.sqlstate();
    }
  }

  bool pause_always = false, ended = false;
  std::string types, end, sqlstate;
  std::size_t bytes = 0;
  int keepalives = 0;
  Lsn commit_end = Lsn::invalid;
};

class StreamSystemTest : public testing::Test {
 protected:
  explicit StreamSystemTest(const std::map<std::string, std::string>& settings = {})
      : postgres_({.settings = settings}) {
    postgres_.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE PUBLICATION p FOR TABLE t;"
        "SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
  }

  void begin(milliseconds status_interval = std::chrono::seconds(10)) {
    ConnectionOptions options;
    options.parameters = {{"host", "127.0.0.1"},
                          {"port", std::to_string(postgres_.port())},
                          {"user", "postgres"},
                          {"dbname", "postgres"}};
    options.replication = true;
    connection_ = std::make_unique<Connection>(loop_, options);
    run_task(loop_, connection_->open());
    const std::string sql = start_replication_sql("s", "p", connection_->server_version(), false, false, Lsn::invalid);
    run_task(loop_, connection_->begin_replication(sql, "start"));
    stream_ = std::make_unique<Stream>(loop_, *connection_, recorder_, status_interval);
    stream_->start();
  }
  void end() {
    stream_.reset();
    connection_.reset();
  }
  std::string slot(const std::string& column) {
    return postgres_.sql("SELECT " + column + " FROM pg_replication_slots WHERE slot_name = 's'");
  }
  // Runs the loop while the server does something in another process.
  template <class Condition>
  void run_until_server(const Condition& condition) {
    event::Timer turn(loop_, [] {});
    turn.start(milliseconds(5), milliseconds(5));
    run_until(loop_, condition);
  }

  Postgres postgres_;
  event::Loop loop_;
  Recorder recorder_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(StreamSystemTest, DeliversAndConfirms) {
  begin();
  postgres_.sql("INSERT INTO t VALUES (1, 'a'); UPDATE t SET v = 'b'; DELETE FROM t; TRUNCATE t");
  run_until(loop_, [&] { return recorder_.types.ends_with("TC"); });
  EXPECT_EQ(recorder_.types, "BRICBUCBDCBTC");
  const std::string before = slot("confirmed_flush_lsn");
  stream_->request_keepalive();
  run_until(loop_, [&] { return recorder_.keepalives > 0; });
  EXPECT_EQ(slot("confirmed_flush_lsn"), before);  // statuses make no statement about flush

  stream_->confirm(recorder_.commit_end);
  stream_->request_keepalive();  // its answer proves that the confirmation has been read
  const int keepalives = recorder_.keepalives;
  run_until(loop_, [&] { return recorder_.keepalives > keepalives; });
  EXPECT_EQ(slot("confirmed_flush_lsn"), to_string(recorder_.commit_end));
  EXPECT_GE(stream_->received(), recorder_.commit_end);

  run_task(loop_, stream_->finish(std::chrono::seconds(10)));
  EXPECT_FALSE(recorder_.ended);
  end();
  run_until_server([&] { return slot("active") == "f"; });
  begin();  // nothing is delivered twice
  postgres_.sql("INSERT INTO t VALUES (2, 'only this')");
  recorder_.types.clear();
  run_until(loop_, [&] { return recorder_.types.ends_with("C"); });
  EXPECT_EQ(recorder_.types, "BRIC");
}

TEST_F(StreamSystemTest, DrainsABacklog) {
  postgres_.sql("INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 50000) g");
  begin();
  run_until(loop_, [&] { return recorder_.types.ends_with("C"); });
  EXPECT_EQ(recorder_.types.size(), 50003U);
  EXPECT_EQ(stream_->counters().messages, recorder_.types.size() + static_cast<std::size_t>(recorder_.keepalives));
  EXPECT_LE(stream_->counters().wakeups, stream_->counters().messages);
}

TEST_F(StreamSystemTest, DeliversAHugeRow) {
  begin();
  postgres_.sql("INSERT INTO t SELECT 1, string_agg(md5(g::text), '') FROM generate_series(1, 500000) g");
  run_until(loop_, [&] { return recorder_.types.ends_with("C"); });
  EXPECT_GT(recorder_.bytes, 16'000'000U);
}

TEST_F(StreamSystemTest, EndsWithTheServersWords) {
  begin();
  postgres_.sql("SELECT pg_terminate_backend(" + std::to_string(connection_->backend_pid()) + ")");
  run_until(loop_, [&] { return recorder_.ended; });
  EXPECT_EQ(recorder_.end, "terminating connection due to administrator command (57P01)");
  EXPECT_EQ(recorder_.sqlstate, "57P01");
}

TEST_F(StreamSystemTest, APublicationThatIsMissingIsToldWithItsCode) {
  postgres_.sql("DROP PUBLICATION p");
  begin();
  postgres_.sql("INSERT INTO t VALUES (1, 'a')");
  run_until(loop_, [&] { return recorder_.ended; });
  EXPECT_EQ(recorder_.sqlstate, "42704");
  EXPECT_THAT(recorder_.end, testing::HasSubstr("publication \"p\" does not exist"));
}

// Nothing has been confirmed, and the server still goes down at once, because statuses leave flush open.
TEST_F(StreamSystemTest, DoesNotHoldUpAFastShutdown) {
  begin(milliseconds(100));
  postgres_.sql("INSERT INTO t VALUES (1, 'a')");
  run_until(loop_, [&] { return recorder_.types.ends_with("C"); });
  std::atomic<long> stopped_ms = -1;
  std::thread stopping([&] { stopped_ms = postgres_.stop("fast", std::chrono::seconds(20)).count(); });
  run_until_server([&] { return stopped_ms >= 0 && recorder_.ended; });
  stopping.join();
  EXPECT_LT(stopped_ms, 5000);
  EXPECT_EQ(recorder_.end, "");  // in order
  end();
  postgres_.start();
  begin();
  recorder_.types.clear();
  run_until(loop_, [&] { return recorder_.types.ends_with("C"); });
  EXPECT_EQ(recorder_.types, "BRIC");  // the slot stayed where it was
}

class ImpatientServer : public StreamSystemTest {
 protected:
  ImpatientServer() : StreamSystemTest({{"wal_sender_timeout", "2s"}}) {}
};

TEST_F(ImpatientServer, APausedStreamOutlivesIt) {
  recorder_.pause_always = true;
  begin(milliseconds(600));
  postgres_.sql(
      "INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 30000) g");  // more than sockets hold
  run_until(loop_, [&] { return stream_->paused(); });
  bool over = false;
  event::Timer later(loop_, [&] { over = true; });
  later.start(milliseconds(6000));
  run_until(loop_, [&] { return over; });
  EXPECT_FALSE(recorder_.ended);
  recorder_.pause_always = false;
  stream_->resume();
  run_until(loop_, [&] { return recorder_.types.ends_with("C"); });
  EXPECT_EQ(recorder_.types.size(), 30003U);
}

TEST_F(ImpatientServer, WithoutStatusesItEndsAPausedStream) {  // so the test above is not in vain
  recorder_.pause_always = true;
  begin(std::chrono::hours(1));
  postgres_.sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 30000) g");
  run_until_server([&] { return slot("active") == "f"; });
  stream_->resume();
  recorder_.pause_always = false;
  run_until(loop_, [&] { return recorder_.ended || stream_->paused(); });
  if (stream_->paused()) stream_->resume();
  run_until(loop_, [&] { return recorder_.ended; });
  EXPECT_NE(recorder_.end, "");
}

}  // namespace
}  // namespace walrelay::replication
