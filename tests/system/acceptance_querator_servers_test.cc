// examples/querator: partitions on two PostgreSQL servers, a walrelay for each, one Redis (Q-A3).
//
// Not here: one /health over both sources. There are two processes, and each says how it is; /health itself does not
// exist yet.
#include "tests/system/acceptance_querator.h"

namespace walrelay::support {
namespace {

class AcceptanceQueratorServers : public QueratorFixture {
 protected:
  void SetUp() override {
    QueratorFixture::SetUp();  // us-east
    west_database_.sql("CREATE DATABASE " + name());
    west_database_.sql(shipped("schema.sql"), name());
  }
  void TearDown() override {
    if (HasFailure() && west_ != nullptr) std::cerr << "us-west's log:\n" << west_->log() << "\n";
    west_.reset();
    QueratorFixture::TearDown();
  }

  void run_both() {
    run();
    auto env = environment(west_database_, name(), name() + "_west");
    env["QUERATOR_QUEUE_STORAGE"] = "false";
    west_ = std::make_unique<Walrelay>(
        Walrelay::Options{.config = shipped("walrelay.yaml"), .arguments = {"run"}, .env = env});
    west_->start();
    west_->wait_ready();
  }
  void interrupt_both() {
    interrupt();
    if (GetParam() == Course::plain) return;
    west_->kill();
    west_->start();
    west_->wait_ready();
  }
  std::string west(const std::string& statements) { return west_database_.sql(statements, name()); }
  // So many items of one statement, their ids from `first` on.
  static std::string produce(const std::string& table, int first, int count) {
    return "INSERT INTO \"" + table +
           "\" (id, expire_deadline, created_at, payload) SELECT '2B6YnNCXVRqzPdOCpPSzj' || lpad(n::text, 6, '0'), "
           "'2031-01-01 00:00:00+00', '2026-02-05 10:00:00+00', 'x' FROM generate_series(" +
           std::to_string(first) + ", " + std::to_string(first + count - 1) + ") n;";
  }
  void fill_both() {
    create(kEast);
    west("CALL create_items('" + std::string(kWest) + "')");
    sql(produce(kEast, 1, 10000));
    west(produce(kWest, 1, 10000));
    EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:0", "10000", seconds(60)));
    EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:1", "10000", seconds(60)));
  }
  void queue() const {
    sql("INSERT INTO queues (name, namespace, partition_info) VALUES ('orders', 'shop', "
        "'[{\"StorageName\": \"postgres-us-east\", \"PartitionNum\": 0}, {\"StorageName\": \"postgres-us-west\", "
        "\"PartitionNum\": 1}]')");
    EXPECT_TRUE(
        eventually_equal([] { return redis().hgetall("q:queue:orders:parts"); },
                         std::map<std::string, std::string>{{"0", "postgres-us-east"}, {"1", "postgres-us-west"}}));
  }
  static std::string dump(const std::string& key) { return redis().command("DUMP", key); }
  static constexpr const char* kEast = "items_1buPSdlPil_0";
  static constexpr const char* kWest = "items_1buPSdlPil_1";

  Postgres west_database_;
  std::unique_ptr<Walrelay> west_;
};

TEST_P(AcceptanceQueratorServers, QA3OneServerGoesAndTheOtherFlows) {
  run_both();
  fill_both();
  queue();
  west_database_.stop();
  EXPECT_TRUE(eventually_equal([&] { return west_->http("/readyz").status; }, 503));
  sql(produce(kEast, 10001, 500));
  EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:0", "10500"));
  EXPECT_EQ(walrelay().http("/readyz").status, 200);
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(eventually([&] { return walrelay().metric("walrelay_replication_lag_seconds").value_or(9) < 1; }));
  EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:1", "10000")) << "what came from there stays readable";
  if (GetParam() == Course::killed) west_->kill();

  west_database_.start();
  west(produce(kWest, 10001, 500) + "DELETE FROM \"" + kWest + "\" WHERE id = '2B6YnNCXVRqzPdOCpPSzj000001';");
  if (GetParam() == Course::killed) west_->start();
  EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:1", "10499", seconds(60)));
  EXPECT_TRUE(answers("EXISTS q:item:1buPSdlPil:1:2B6YnNCXVRqzPdOCpPSzj000001", "0"));
  if (GetParam() == Course::plain) {
    EXPECT_EQ(west_->metric("walrelay_gaps_total").value_or(0), 0.0) << "it went on where it was";
  }
  west_->wait_ready();
  EXPECT_TRUE(eventually([&] { return west_->metric("walrelay_replication_lag_bytes").value_or(9) == 0; }));
  expect_verified();
  expect_verified(*west_);
}

TEST_P(AcceptanceQueratorServers, QA3ReadingOneServerAgainTouchesNoKeyOfTheOther) {
  run_both();
  fill_both();
  queue();
  interrupt_both();
  redis().command("DEL", "q:ready:1buPSdlPil:0", "q:item:1buPSdlPil:0:2B6YnNCXVRqzPdOCpPSzj000007");
  // No row has made it: reading us-east again would take such a member out of a key of its own.
  redis().command("ZADD", "q:ready:1buPSdlPil:1", "0", "planted");
  redis().command("HSET", "q:item:1buPSdlPil:1:planted", "id", "planted");
  const std::string ready = dump("q:ready:1buPSdlPil:1"),
                    item = dump("q:item:1buPSdlPil:1:2B6YnNCXVRqzPdOCpPSzj000007");
  EXPECT_EQ(rebuild("items", "", seconds(120)).text("status"), "COMPLETED");
  EXPECT_EQ(rebuild("queues").text("status"), "COMPLETED");
  EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:0", "10000", seconds(60)));
  EXPECT_TRUE(answers("EXISTS q:item:1buPSdlPil:0:2B6YnNCXVRqzPdOCpPSzj000007", "1"));
  EXPECT_EQ(dump("q:ready:1buPSdlPil:1"), ready);
  EXPECT_EQ(dump("q:item:1buPSdlPil:1:2B6YnNCXVRqzPdOCpPSzj000007"), item);
  EXPECT_TRUE(answers("EXISTS q:item:1buPSdlPil:1:planted", "1"));
  redis().command("ZREM", "q:ready:1buPSdlPil:1", "planted");
  redis().command("DEL", "q:item:1buPSdlPil:1:planted");

  // And the other way round: us-west knows of no queue, and takes none away.
  JobAnswer last;
  EXPECT_EQ(west_->ask("POST", route("items")).status, 202);
  EXPECT_TRUE(eventually(
      [&] {
        last = JobAnswer(west_->http(route("items", "/status")));
        return last.http() == 200 && !last.running();
      },
      seconds(120)));
  EXPECT_EQ(last.text("status"), "COMPLETED") << last.body();
  EXPECT_TRUE(answers("HGET q:queue:orders:parts 1", "postgres-us-west"));
  EXPECT_TRUE(answers("ZCARD q:ready:1buPSdlPil:0", "10000"));
  expect_verified();
  expect_verified(*west_);
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceQueratorServers, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
