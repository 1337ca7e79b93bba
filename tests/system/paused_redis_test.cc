// A Redis that answers nothing for three times the server's patience, while rows pour in: the stream lives on, nothing
// is lost, and the process does not fill with what it cannot pass on.
#include <gtest/gtest.h>

#include "tests/support/server_pair.h"

namespace walrelay::support {
namespace {

constexpr int kRows = 200'000;
constexpr int kRowBytes = 500;  // 100 MB in all: more than the process may grow by
constexpr long kGrowthAtMost = 48L * 1024 * 1024;

TEST(PausedRedisTest, TheStreamOutlivesTheServersPatienceAndMemoryIsBounded) {
  ServerPair servers({.settings = {{"wal_sender_timeout", "2s"}}});
  Walrelay walrelay({.config = servers.config("flush: {interval: 100ms}"),
                     .arguments = {"run"},
                     .env = {{"ASAN_OPTIONS", "quarantine_size_mb=1"}}});
  walrelay.start();
  walrelay.wait_ready();
  servers.insert(1, 100);
  ASSERT_TRUE(servers.in_step());
  const std::string walsender = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender'";
  const std::string process = servers.postgres.sql(walsender);
  const long before = walrelay.process().peak_resident_bytes();

  servers.redis.pause();
  PsqlSession writer(servers.postgres);
  for (int part = 0; part < 20; ++part) {  // six seconds and more
    writer.sql("INSERT INTO numbers SELECT id, nextval('versions'), repeat('p', " + std::to_string(kRowBytes) +
               ") FROM generate_series(" + std::to_string(1000 + part * kRows / 20) + ", " +
               std::to_string(999 + (part + 1) * kRows / 20) + ") id; SELECT pg_sleep(0.3)");
  }
  EXPECT_LT(walrelay.process().peak_resident_bytes() - before, kGrowthAtMost);
  EXPECT_EQ(servers.postgres.sql(walsender), process) << walrelay.log();
  EXPECT_GT(walrelay.metric("walrelay_replication_lag_seconds{slot=\"pair\"}"), 4.0);

  servers.redis.resume();
  EXPECT_TRUE(servers.in_step(seconds(120))) << walrelay.log();
  EXPECT_EQ(servers.postgres.sql(walsender), process) << walrelay.log();
  EXPECT_EQ(walrelay.metric("walrelay_session_failures_total"), 0.0) << walrelay.log();
  EXPECT_LT(walrelay.process().peak_resident_bytes() - before, kGrowthAtMost);
  EXPECT_EQ(walrelay.terminate(), 0) << walrelay.log();
}

}  // namespace
}  // namespace walrelay::support
