// What walrelay says of itself over HTTP.
#include <gmock/gmock.h>

#include <cmath>
#include <regex>
#include <set>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class MetricsTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a')");
  }
  // `labels`: more of them, with a comma before.
  std::optional<double> metric(const std::string& metric, const std::string& labels = "") {
    return walrelay().metric(metric + "{slot=\"" + name() + "\"" + labels + "}");
  }
};

// The text format 0.0.4: every sample belongs to a TYPE line before it, families come once, no sample comes twice.
TEST_F(MetricsTest, PageIsValidPrometheusText) {
  sql("CREATE TABLE \"we\"\"ird\\\" (id int PRIMARY KEY); INSERT INTO \"we\"\"ird\\\" VALUES (1)");
  start("");
  sql("INSERT INTO \"we\"\"ird\\\" VALUES (2); UPDATE users SET name = 'b'");
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+");
  const std::regex type("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)");
  const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? ([-+0-9.eE]+|[+-]?Inf|NaN))re");
  std::set<std::string> families, samples;
  std::string family, kind;
  std::istringstream lines(walrelay().http("/metrics").body);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, help)) continue;
    if (std::regex_match(line, match, type)) {
      family = match[1];
      kind = match[2];
      EXPECT_TRUE(families.insert(family).second) << family << " comes twice";
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    std::string name = match[1];
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (kind == "histogram" && name == family + suffix) name = family;
    }
    EXPECT_EQ(name, family) << line;
    EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << line;
    EXPECT_TRUE(kind != "counter" || name.ends_with("_total")) << name;
  }
  for (const char* wanted : {"walrelay_replication_lag_seconds", "walrelay_replication_lag_bytes",
                             "walrelay_slot_retained_wal_bytes", "walrelay_slot_wal_status", "walrelay_slot_active",
                             "walrelay_changes_total", "walrelay_redis_batches_total", "walrelay_redis_commands_total",
                             "walrelay_redis_rows_total", "walrelay_coalesced_total", "walrelay_postgres_connected",
                             "walrelay_redis_connected", "walrelay_state", "walrelay_end_to_end_latency_seconds",
                             "walrelay_apply_latency_seconds", "walrelay_redis_batch_duration_seconds",
                             "process_resident_memory_bytes", "process_cpu_seconds_total", "walrelay_build_info"}) {
    EXPECT_TRUE(families.contains(wanted)) << wanted;
  }
}

// The commit is known to the program alone, so both must have it from the same place.
TEST_F(MetricsTest, TheBuildIsTheOneThatVersionPrints) {
  start(kUsers);
  const std::string version = run_program(walrelay().folder(), {WALRELAY_BINARY, "version"}).output;
  std::smatch revision;
  ASSERT_TRUE(std::regex_search(version, revision, std::regex("\nrevision ([0-9A-Za-z._+-]+)\n"))) << version;
  EXPECT_THAT(walrelay().http("/metrics").body, testing::HasSubstr(",revision=\"" + revision[1].str() + "\","));
}

TEST_F(MetricsTest, CountsWhatHappens) {
  start(kUsers);
  sql("INSERT INTO users VALUES (2, 'b'), (3, 'c')");
  sql("UPDATE users SET name = 'd' WHERE id = 2; DELETE FROM users WHERE id = 3");
  sql("DO $$ BEGIN FOR i IN 1..50 LOOP UPDATE users SET name = 'hot ' || i WHERE id = 1; END LOOP; END $$; TRUNCATE "
      "users");
  EXPECT_TRUE(eventually(
      [this] { return metric("walrelay_changes_total", ",op=\"truncate\",schema=\"public\",table=\"users\"") == 1; }));
  EXPECT_TRUE(caught_up());
  const auto changes = [this](const char* operation) {
    return metric("walrelay_changes_total", ",op=\"" + std::string(operation) + "\",schema=\"public\",table=\"users\"");
  };
  EXPECT_EQ(changes("insert"), 2);
  EXPECT_EQ(changes("update"), 51);
  EXPECT_EQ(changes("delete"), 1);
  EXPECT_GE(metric("walrelay_coalesced_total").value_or(0), 49)
      << "fifty updates of one row in one transaction are one command";
  EXPECT_GE(metric("walrelay_redis_batches_total").value_or(0), 3);
  EXPECT_EQ(metric("walrelay_snapshot_rows_total"), 1);
  EXPECT_TRUE(eventually([this] { return metric("walrelay_slot_active") == 1; }));  // looked at once a second
  EXPECT_EQ(metric("walrelay_slot_wal_status", ",wal_status=\"reserved\""), 1);
  EXPECT_EQ(metric("walrelay_leader"), 1);
  EXPECT_EQ(metric("walrelay_state", ",state=\"streaming\""), 1);
  EXPECT_GT(walrelay().metric("process_resident_memory_bytes").value_or(0), 1e6);
  EXPECT_GT(metric("walrelay_end_to_end_latency_seconds_count").value_or(0), 2);
  EXPECT_LT(metric("walrelay_end_to_end_latency_seconds_sum").value_or(1e9), 60);
}

// Rows that are read long after the last commit say nothing of how late it was.
TEST_F(MetricsTest, ARebuildIsNoLateCommit) {
  start(kUsers);
  sql("UPDATE users SET name = 'b'");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
  const auto commits = metric("walrelay_end_to_end_latency_seconds_count");
  const double batches = metric("walrelay_redis_batch_duration_seconds_count").value_or(0);
  redis().command("DEL", "user:1");  // so that there is something to write
  const auto rebuilt =
      run_program(walrelay().folder(), {WALRELAY_BINARY, "rebuild", "-c", walrelay().folder() + "/walrelay.yaml"});
  ASSERT_EQ(rebuilt.status, 0) << rebuilt.output;
  EXPECT_GT(metric("walrelay_redis_batch_duration_seconds_count").value_or(0), batches);
  EXPECT_EQ(metric("walrelay_end_to_end_latency_seconds_count"), commits);
  EXPECT_EQ(metric("walrelay_replication_lag_seconds"), 0);
}

// A change that makes no command: here two of which nothing is told.
TEST_F(MetricsTest, CountsWhatIsFiltered) {
  sql("CREATE TABLE orders (id int PRIMARY KEY, paid bool)");
  start(std::string(kUsers) + "  - {table: orders, write: {publish: {channel: orders, on: insert, when: \"paid\"}}}\n");
  sql("INSERT INTO orders VALUES (1, true), (2, false), (3, true); DELETE FROM orders WHERE id = 3");
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(metric("walrelay_changes_filtered_total"), 2);
}

TEST_F(MetricsTest, QueriesAreCountedByWhatTheyAreFor) {
  sql("CREATE TABLE notes (id int PRIMARY KEY, n int, text text); ALTER TABLE notes ALTER text SET STORAGE EXTERNAL;"
      "INSERT INTO notes SELECT i, 0, repeat('x', 20000) FROM generate_series(1, 10) i");
  start(std::string(kUsers) + "  - {table: notes, write: {string: {key: \"note:{id}\"}}}\n");
  const auto answers = [this](const std::string& purpose) {
    return metric("walrelay_postgres_query_duration_seconds_count", ",purpose=\"" + purpose + "\"").value_or(-1);
  };
  EXPECT_GE(answers("catalogue"), 5);
  EXPECT_GE(answers("chunk"), 4) << "two tables, each a snapshot and its rows";
  EXPECT_EQ(answers("reread"), 0);
  EXPECT_EQ(answers("sweep"), 0);
  EXPECT_EQ(answers("document"), 0);
  sql("UPDATE notes SET n = 1");
  EXPECT_TRUE(eventually([&] { return answers("reread") >= 2; }));
  redis().command("SET", "note:11", "of no row");
  EXPECT_EQ(walrelay().command({"rebuild"}).status, 0);
  EXPECT_GE(answers("sweep"), 2);
  EXPECT_GE(answers("chunk"), 8);
  EXPECT_LT(metric("walrelay_postgres_query_duration_seconds_sum", ",purpose=\"chunk\"").value_or(1e9), 60);
}

TEST_F(MetricsTest, KnowsTheServersFigures) {
  redis().command("CONFIG", "SET", "maxmemory", "123456789");
  start(kUsers);
  EXPECT_TRUE(eventually([this] { return metric("walrelay_redis_memory_max_bytes") == 123456789; }));
  redis().command("CONFIG", "SET", "maxmemory", "0");
  EXPECT_GT(metric("walrelay_redis_memory_used_bytes").value_or(0), 100000);
  EXPECT_GE(metric("walrelay_redis_clients").value_or(0), 2);
  EXPECT_GT(metric("walrelay_redis_clients_max"), metric("walrelay_redis_clients"));
  EXPECT_TRUE(metric("walrelay_redis_keyspace_hits_total").has_value());
  EXPECT_TRUE(eventually([this] { return metric("walrelay_postgres_connections").has_value(); }));
  EXPECT_GE(metric("walrelay_postgres_connections").value_or(0), 2);
  EXPECT_GT(metric("walrelay_postgres_connections_max"), metric("walrelay_postgres_connections"));
  EXPECT_GT(walrelay().metric("process_open_fds").value_or(0), 5);
  EXPECT_LT(walrelay().metric("process_open_fds"), walrelay().metric("process_max_fds"));
}

TEST_F(MetricsTest, TimeThatTheStreamWaitsForRedisIsCounted) {
  start(kUsers, "flush: {max_bytes: 64KiB}");
  EXPECT_EQ(metric("walrelay_buffer_limit_bytes"), 65536);
  const double before = metric("walrelay_backpressure_seconds_total").value_or(0);
  redis().pause();
  sql("INSERT INTO users SELECT i, repeat('x', 100) FROM generate_series(2, 20000) i");
  EXPECT_TRUE(eventually([&] { return metric("walrelay_backpressure_seconds_total").value_or(0) > before + 0.5; }));
  redis().resume();
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
  EXPECT_GT(metric("walrelay_apply_latency_seconds_sum").value_or(0), 0.5);
  const double now = walrelay().metric("process_start_time_seconds").value_or(0);
  EXPECT_GT(metric("walrelay_last_message_received_timestamp_seconds").value_or(0), now);
  EXPECT_GT(metric("walrelay_snapshot_last_success_timestamp_seconds").value_or(0), now - 1);
}

TEST_F(MetricsTest, LagIsZeroWhenIdleAndGrowsWhileRedisIsStopped) {
  start(kUsers);
  const auto seconds_behind = [this] { return metric("walrelay_replication_lag_seconds"); };
  const auto bytes_behind = [this] { return metric("walrelay_replication_lag_bytes"); };
  EXPECT_TRUE(eventually([&] { return seconds_behind() == 0 && bytes_behind() == 0; }));
  redis().pause();
  sql("INSERT INTO users SELECT i, 'x' FROM generate_series(2, 1000) i");
  double last = 0;
  for (const double more : {0.3, 1.0, 2.0}) {
    EXPECT_TRUE(eventually([&] {
      last = seconds_behind().value_or(0);
      return last > more && bytes_behind().value_or(0) > 10000;
    })) << last;
  }
  EXPECT_LT(last, 30);
  redis().resume();
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
  EXPECT_TRUE(eventually([&] { return seconds_behind() == 0 && bytes_behind() == 0; }));
  // WAL of others that concerns no mapped table is no lag.
  sql("CREATE TABLE noise (v text); INSERT INTO noise SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
  EXPECT_TRUE(eventually([&] { return seconds_behind() == 0 && bytes_behind() == 0; }));
}

TEST_F(MetricsTest, HealthPages) {
  redis().command("CONFIG", "SET", "requirepass", "not known");
  launch(kUsers);
  EXPECT_TRUE(eventually([this] { return walrelay().http("/livez").status == 200; }));
  walrelay().wait_log("NOAUTH");
  EXPECT_EQ(walrelay().http("/livez").status, 200);
  const auto unready = walrelay().http("/readyz");
  EXPECT_EQ(unready.status, 503);
  EXPECT_NE(unready.body.find("NOAUTH"), std::string::npos) << unready.body;
  EXPECT_EQ(metric("walrelay_redis_connected"), 0);
  redis().command("CONFIG", "SET", "requirepass", "");
  walrelay().wait_ready();
  EXPECT_EQ(walrelay().http("/readyz").body, "streaming\n");
  EXPECT_EQ(metric("walrelay_redis_connected"), 1);
  EXPECT_EQ(metric("walrelay_postgres_connected"), 1);
  EXPECT_EQ(walrelay().http("/nothing").status, 404);
}

TEST_F(MetricsTest, ReadinessGoesWithEitherServer) {
  start(kUsers);
  postgres().stop("fast");
  EXPECT_TRUE(eventually([this] { return walrelay().http("/readyz").status == 503; }));
  EXPECT_EQ(walrelay().http("/livez").status, 200);
  EXPECT_EQ(metric("walrelay_postgres_connected"), 0);
  postgres().start();
  walrelay().wait_ready();
  redis().stop();
  EXPECT_TRUE(eventually([this] { return walrelay().http("/readyz").status == 503; }));
  EXPECT_EQ(metric("walrelay_redis_connected"), 0);
  redis().start();
  walrelay().wait_ready();
  EXPECT_GE(metric("walrelay_reconnects_total", ",target=\"postgres\"").value_or(0), 1);
  EXPECT_GE(metric("walrelay_reconnects_total", ",target=\"redis\"").value_or(0), 1);
  EXPECT_GE(metric("walrelay_redis_errors_total", ",reason=\"LOST\"").value_or(0), 1);
  sql("INSERT INTO users VALUES (2, 'b')");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

}  // namespace
}  // namespace walrelay::support
