// What is told to Prometheus of one moment, without a server.
#include "sidecar/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sidecar/redis_watch.h"

namespace walrelay::sidecar {
namespace {

using testing::HasSubstr;
using testing::Not;

Status streaming() {
  Status status;
  status.slot = "s";
  status.state = State::streaming;
  return status;
}

TEST(MetricsPageTest, TablesBeyondTheLimitAreSummedUp) {
  Status status = streaming();
  status.changes["public.a"].inserts = 1;
  status.changes["public.b"].inserts = 20;
  status.changes["public.c"].inserts = 300;
  const auto series = [](const std::string& schema, const std::string& table, const std::string& count) {
    return R"(walrelay_changes_total{slot="s",op="insert",schema=")" + schema + R"(",table=")" + table + "\"} " +
           count + "\n";
  };
  const std::string all = render_metrics(status, 3);
  EXPECT_THAT(all, HasSubstr(series("public", "c", "300")));
  EXPECT_THAT(all, Not(HasSubstr("__other__")));
  const std::string two = render_metrics(status, 2);
  EXPECT_THAT(two, HasSubstr(series("public", "a", "1")));
  EXPECT_THAT(two, HasSubstr(series("public", "b", "20")));
  EXPECT_THAT(two, HasSubstr(series("__other__", "__other__", "300")));
  EXPECT_THAT(two, Not(HasSubstr("table=\"c\"")));
  EXPECT_THAT(render_metrics(status, 0), HasSubstr(series("__other__", "__other__", "321")));
}

// increase() knows nothing of the first sample of a series: what alerts count must stand there before it happens.
TEST(MetricsPageTest, WhatAlertsCountStandsThereFromTheBeginning) {
  const std::string page = render_metrics(streaming());
  for (const char* series :
       {R"(walrelay_gaps_total{slot="s",gap="slot_lost"} 0)", R"(walrelay_gaps_total{slot="s",gap="redis_empty"} 0)",
        R"(walrelay_redis_errors_total{slot="s",reason="OOM"} 0)",
        R"(walrelay_dead_letters_total{slot="s",reason="row"} 0)",
        R"(walrelay_dead_letters_total{slot="s",reason="redis"} 0)",
        R"(walrelay_reconnects_total{slot="s",target="redis"} 0)", R"(walrelay_snapshot_failures_total{slot="s"} 0)",
        R"(walrelay_jobs_failed_total{slot="s",kind="rebuild"} 0)", R"(walrelay_verify_drift_keys{slot="s"} 0)"}) {
    EXPECT_THAT(page, HasSubstr(std::string(series) + "\n"));
  }
}

TEST(MetricsPageTest, QueriesAreCountedByTheirPurpose) {
  Status status = streaming();
  status.queries[static_cast<std::size_t>(replication::Purpose::reread)].observe(0.003);
  const std::string page = render_metrics(status);
  const std::string name = "walrelay_postgres_query_duration_seconds";
  for (const char* idle : {"catalogue", "chunk", "document", "sweep"})
    EXPECT_THAT(page, HasSubstr(name + "_count{slot=\"s\",purpose=\"" + idle + "\"} 0\n"));
  EXPECT_THAT(page, HasSubstr(name + "_count{slot=\"s\",purpose=\"reread\"} 1\n"));
  EXPECT_THAT(page, HasSubstr(name + "_bucket{slot=\"s\",purpose=\"reread\",le=\"0.0025\"} 0\n"));
  EXPECT_THAT(page, HasSubstr(name + "_bucket{slot=\"s\",purpose=\"reread\",le=\"0.005\"} 1\n"));
}

TEST(MetricsPageTest, CountsConnectionsAfterTheFirst) {
  Status status = streaming();
  status.redis_connects = 3;
  status.postgres_connects = 1;
  const std::string page = render_metrics(status);
  EXPECT_THAT(page, HasSubstr("walrelay_reconnects_total{slot=\"s\",target=\"redis\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("walrelay_reconnects_total{slot=\"s\",target=\"postgres\"} 0\n"));
}

TEST(MetricsPageTest, UnknownFiguresOfServersAreLeftOut) {
  Status status = streaming();
  EXPECT_THAT(render_metrics(status), Not(HasSubstr("walrelay_redis_memory")));
  EXPECT_THAT(render_metrics(status), Not(HasSubstr("walrelay_postgres_connections")));
  status.redis = {true, 80, 100, 7, 3, 0, 0, 5, 10000};
  status.postgres = {true, 8, 100};
  status.postgres_connected = true;
  EXPECT_THAT(render_metrics(status), HasSubstr("walrelay_redis_memory_used_bytes{slot=\"s\"} 80\n"));
  EXPECT_THAT(render_metrics(status), HasSubstr("walrelay_redis_keyspace_misses_total{slot=\"s\"} 3\n"));
  EXPECT_THAT(render_metrics(status), HasSubstr("walrelay_postgres_connections_max{slot=\"s\"} 100\n"));
  status.postgres_connected = false;
  EXPECT_THAT(render_metrics(status), Not(HasSubstr("walrelay_postgres_connections")));
}

// Estimates of the server may be far too low; "all" is said of all tables only.
TEST(MetricsPageTest, ProgressOfTheSnapshot) {
  Status status = streaming();
  const auto ratio = [&status] {
    const std::string page = render_metrics(status);
    const std::string name = "\nwalrelay_snapshot_progress_ratio{slot=\"s\"} ";
    return std::stod(page.substr(page.find(name) + name.size()));
  };
  EXPECT_EQ(ratio(), 1);
  status.load.tables = 2;
  EXPECT_EQ(ratio(), 0);
  status.load.estimated_rows = 100;
  status.load.rows = 25;
  EXPECT_EQ(ratio(), 0.25);
  status.load.rows = 500;
  EXPECT_LT(ratio(), 1);
  status.load.tables_done = 2;
  EXPECT_EQ(ratio(), 1);
}

TEST(MetricsPageTest, DriftIsOfAllMappings) {
  Status status = streaming();
  status.drift = {{"users", 2}, {"orders", 3}, {"items", 0}};
  EXPECT_THAT(render_metrics(status), HasSubstr("walrelay_verify_drift_keys{slot=\"s\"} 5\n"));
}

TEST(RedisFiguresTest, AreReadFromInfo) {
  const RedisFigures figures = redis_figures(
      "# Clients\r\nconnected_clients:3\r\nmaxclients:10000\r\n\r\n# Memory\r\nused_memory:1048576\r\n"
      "used_memory_human:1.00M\r\nmaxmemory:2097152\r\nmaxmemory_human:2.00M\r\n# Stats\r\nexpired_keys:9\r\n"
      "evicted_keys:4\r\n"
      "keyspace_hits:5\r\nkeyspace_misses:6");
  EXPECT_TRUE(figures.known);
  EXPECT_EQ(figures.memory_used, 1048576U);
  EXPECT_EQ(figures.memory_max, 2097152U);
  EXPECT_EQ(figures.clients, 3U);
  EXPECT_EQ(figures.clients_max, 10000U);
  EXPECT_EQ(figures.evicted, 4U);
  EXPECT_EQ(figures.expired, 9U);
  EXPECT_EQ(figures.hits, 5U);
  EXPECT_EQ(figures.misses, 6U);
}

TEST(RedisFiguresTest, AreUnknownWhereInfoDoesNotSay) {
  for (const char* info :
       {"", "\n", ":", "used_memory", "used_memory:", "used_memory:x", "# Memory\r\nmaxmemory:5\r\n"}) {
    EXPECT_FALSE(redis_figures(info).known) << info;
  }
}

}  // namespace
}  // namespace walrelay::sidecar
