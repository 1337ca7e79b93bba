// The status in one sentence, one word, and as JSON.
#include "sidecar/overview.h"

#include <gmock/gmock.h>
#include <simdjson.h>

#include "sidecar/page/embedded.h"

namespace walrelay::sidecar {
namespace {

using ::testing::HasSubstr;

class OverviewTest : public ::testing::Test {
 protected:
  [[nodiscard]] Overview overview() const {
    return {status_, history_, jobs_, config_, names_, tables_, 1000000000, 900000000};
  }
  [[nodiscard]] std::string sentence() const { return sentence_of(overview()); }
  [[nodiscard]] std::string health() const { return name_of(health_of(overview())); }
  simdjson::dom::element json() { return parser_.parse(status_json(overview())); }

  void grow(std::int64_t bytes_a_second, std::int64_t safe) {
    status_.slot_seen_us = 1000000000;
    for (int i = 0; i <= 300; ++i) {
      status_.retained_wal_bytes += bytes_a_second;
      history_.sample(status_, 1 + i * 1000000LL);
    }
    status_.safe_wal_bytes = safe;
  }

  Status status_;
  History history_;
  JobBoard jobs_;
  config::Config config_;
  std::optional<std::vector<std::string>> names_;
  std::vector<TableReport> tables_;
  simdjson::dom::parser parser_;
};

TEST_F(OverviewTest, OneSentence) {
  EXPECT_EQ(sentence(), "Starting");
  status_.state = State::connecting;
  EXPECT_EQ(sentence(), "Connecting to PostgreSQL and Redis");
  status_.state = State::standby;
  EXPECT_EQ(sentence(), "Standing by: another walrelay has the slot");
  status_.state = State::loading;
  status_.load.tables = 1;
  status_.load.rows = 1234;
  EXPECT_EQ(sentence(), "Reading existing rows: 1,234 read, 0 of 1 table done");
  status_.load.tables = 3;
  status_.load.tables_done = 2;
  status_.load.estimated_rows = 5000;
  EXPECT_EQ(sentence(), "Reading existing rows: 25 %, 1,234 of about 5,000, 2 of 3 tables done");
  status_.load.rows = 6000;  // the estimate was too low
  EXPECT_EQ(sentence(), "Reading existing rows: 99 %, 6,000 of about 6,000, 2 of 3 tables done");
  status_.state = State::streaming;
  EXPECT_EQ(sentence(), "Live, in step");
  status_.lag_seconds = 0.42;
  status_.lag_bytes = 1;
  EXPECT_EQ(sentence(), "Live, 0.4 s behind");
  status_.state = State::waiting;
  status_.last_error = "Redis at h:1: Connection refused";
  EXPECT_EQ(sentence(), "Not streaming, trying again: Redis at h:1: Connection refused");
}

TEST_F(OverviewTest, HealthFollowsLag) {
  status_.state = State::streaming;
  EXPECT_EQ(health(), "ok");
  status_.lag_seconds = 59.9;
  EXPECT_EQ(health(), "ok");
  status_.lag_seconds = 60;
  EXPECT_EQ(health(), "warning");
  status_.lag_seconds = 300;
  EXPECT_EQ(health(), "critical");
  status_.lag_seconds = 0;
  for (const State busy : {State::starting, State::connecting, State::standby, State::loading, State::stopping}) {
    status_.state = busy;
    EXPECT_EQ(health(), "busy");
  }
  status_.state = State::waiting;
  EXPECT_EQ(health(), "critical");
}

TEST_F(OverviewTest, HealthFollowsTheSlot) {
  constexpr std::int64_t kMiB = 1024 * 1024;
  status_.state = State::streaming;
  EXPECT_EQ(slot_risk_of(overview()), SlotRisk::unknown);
  grow(kMiB, 100000 * kMiB);
  EXPECT_EQ(slot_risk_of(overview()), SlotRisk::growing);
  EXPECT_EQ(health(), "ok");
  status_.safe_wal_bytes = 10000 * kMiB;
  EXPECT_EQ(slot_risk_of(overview()), SlotRisk::high);
  EXPECT_EQ(health(), "warning");
  status_.safe_wal_bytes = 500 * kMiB;
  EXPECT_EQ(health(), "critical");
  status_.safe_wal_bytes = -1;
  EXPECT_EQ(slot_risk_of(overview()), SlotRisk::none);
  status_.wal_status = "unreserved";
  EXPECT_EQ(health(), "critical");
  status_.wal_status = "lost";
  EXPECT_EQ(slot_risk_of(overview()), SlotRisk::lost);
}

TEST_F(OverviewTest, WhatWasInTheStatusBeforeIsThereStill) {
  status_.slot = "cache";
  const auto object = json();
  EXPECT_EQ(object["state"].get_string().value(), "starting");
  EXPECT_EQ(object["slot"].get_string().value(), "cache");
  for (const char* name : {"postgres", "redis", "owner"}) EXPECT_FALSE(object[name].get_bool().value()) << name;
  for (const char* name : {"applied", "received", "confirmed", "serverEnd"})
    EXPECT_EQ(object[name].get_string().value(), "0/0") << name;
  EXPECT_EQ(object["lagSeconds"].get_double().value(), 0);
  for (const char* name : {"lagBytes", "retainedWalBytes"}) EXPECT_EQ(object[name].get_int64().value(), 0) << name;
  EXPECT_TRUE(object["lastError"].is_null());
  EXPECT_TRUE(object["mappings"].is_null());
  EXPECT_EQ(object["jobs"].get_array().size(), 0U);
  EXPECT_EQ(object["uptimeSeconds"].get_int64().value(), 100);
}

TEST_F(OverviewTest, MappingsAreTheSumOfTheirTables) {
  names_ = {"users", "idle"};
  tables_ = {{"public.users", {"users"}, false, {1, 2, 3, 4}}, {"public.people", {"users"}, true, {10, 0, 0, 0}}};
  Job job;
  job.mapping = "users";
  jobs_.request(job, 5);
  const auto details = json()["mappingDetails"].get_array().value();
  ASSERT_EQ(details.size(), 2U);
  const auto idle = details.at(0), users = details.at(1);
  EXPECT_EQ(idle["name"].get_string().value(), "idle");
  EXPECT_EQ(idle["tables"].get_int64().value(), 0);
  EXPECT_TRUE(idle["rebuild"].is_null());
  EXPECT_EQ(users["tables"].get_int64().value(), 2);
  EXPECT_EQ(users["tablesLoading"].get_int64().value(), 1);
  EXPECT_EQ(users["inserts"].get_int64().value(), 11);
  EXPECT_EQ(users["truncates"].get_int64().value(), 4);
  EXPECT_EQ(users["rebuild"]["status"].get_string().value(), "RUNNING");
  EXPECT_TRUE(users["verify"].is_null());
}

// Ten thousand partitions do not make an answer of megabytes.
TEST_F(OverviewTest, ManyTablesAreCutToTheBusiest) {
  names_.emplace();
  for (int i = 0; i < 10000; ++i) {
    const std::string name = "t" + std::to_string(i);
    names_->push_back(name);
    tables_.push_back({"public." + name, {name}, i == 3, {static_cast<std::uint64_t>(i == 7000 ? 5 : 0), 0, 0, 0}});
  }
  const auto object = json();
  const auto tables = object["tables"].get_array().value();
  ASSERT_EQ(tables.size(), 200U);
  EXPECT_EQ(tables.at(0)["table"].get_string().value(), "public.t3");
  EXPECT_EQ(tables.at(1)["table"].get_string().value(), "public.t7000");
  EXPECT_EQ(object["tablesOmitted"].get_int64().value(), 9800);
  EXPECT_EQ(object["mappings"].get_array().size(), 10000U);  // `walrelay rebuild` asks for them all
  EXPECT_EQ(object["mappingDetails"].get_array().size(), 200U);
}

TEST_F(OverviewTest, ErrorsSayWhatToRead) {
  status_.failures.note("OOM", "Redis refused \"HSET\"", 1000000);
  status_.failures.note("stopped", "something", 2000000);
  status_.failures.note("OOM", "Redis refused \"HSET\"", 3000000);
  const auto errors = json()["errors"].get_array().value();
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors.at(0)["count"].get_int64().value(), 2);
  EXPECT_EQ(errors.at(0)["at"].get_string().value(), "1970-01-01T00:00:03.000Z");
  EXPECT_EQ(errors.at(0)["firstAt"].get_string().value(), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(errors.at(0)["runbook"].get_string().value(), "WalrelayRedisMemoryHigh");
  EXPECT_TRUE(errors.at(1)["runbook"].is_null());
}

// What the status names can be read at /runbooks/.
TEST(Failures, EveryRunbookIsThere) {
  for (const char* reason : {"gap", "configuration", "reload", "job", "load", "differences", "FENCED", "OOM",
                             "connection lost", "authentication", "CONNECT", "LOST", "refused", "MISCONF"}) {
    const std::string name = runbook_of(reason);
    EXPECT_NE(name, "") << reason;
    EXPECT_FALSE(embedded::runbook(name).empty()) << name;
  }
  EXPECT_EQ(runbook_of("stopped"), "");
  EXPECT_TRUE(embedded::runbook("Nothing").empty());
}

TEST(Failures, KeepsTheLastTwenty) {
  Failures failures;
  for (int i = 0; i < 50; ++i) failures.note("r", std::to_string(i), i);
  ASSERT_EQ(failures.latest().size(), Failures::kMost);
  EXPECT_EQ(failures.latest().front().sentence, "49");
  EXPECT_EQ(failures.latest().back().sentence, "30");
}

}  // namespace
}  // namespace walrelay::sidecar
