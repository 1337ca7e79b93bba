// Health in the words of services that had these routes before: which side is away, and that the other one is not.
#include <gmock/gmock.h>
#include <simdjson.h>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using ::testing::HasSubstr;

class HealthTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1)");
  }
  void TearDown() override {  // the next test needs both
    if (!redis().running()) redis().start();
    if (!postgres().running()) postgres().start();
    EndToEnd::TearDown();
  }
  // "503 degraded postgresql:ok redis:error"
  std::string health() {
    const HttpAnswer answer = walrelay().ask("GET", "/health");
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(answer.body);
    std::string text = std::to_string(answer.status);
    for (const char* name : {"status", "database", "cache"}) text += " " + std::string(std::string_view(json[name]));
    return text;
  }
  testing::AssertionResult becomes(const std::string& text) {
    return eventually_equal([this] { return health(); }, text);
  }
  bool flag(const std::string& path, const char* name, int status) {
    const HttpAnswer answer = walrelay().ask("GET", path);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(answer.body);
    return bool(json[name]);
  }
};

TEST_F(HealthTest, IsOk) {
  start(kUsers);
  EXPECT_EQ(health(), "200 ok postgresql:ok redis:ok");
  EXPECT_TRUE(flag("/health/db", "postgresql", 200));
  EXPECT_TRUE(flag("/health/db", "redis", 200));
  EXPECT_TRUE(flag("/health/redis", "redis", 200));
  const std::string more = walrelay().http("/health?verbose=1").body;
  EXPECT_THAT(more, HasSubstr("\"sentence\": \"Live"));
  EXPECT_THAT(more, HasSubstr("\"cacheHitRatioBelow\": 0.7"));
}

// Those who read /health may have other bounds than the shipped alerts. They change without a new session.
TEST_F(HealthTest, ThresholdsAreThoseOfTheConfiguration) {
  const auto sessions = [this] { return walrelay().metric("walrelay_sessions_total"); };
  start(kUsers, "health: {cache_hit_ratio_below: 95, p95_above: 2s, redis_memory_above: 5}");
  const auto before = sessions();
  for (const char* path : {"/health?verbose=1", "/health/db", "/health/redis"}) {
    const std::string body = walrelay().http(path).body;
    EXPECT_THAT(body, HasSubstr("\"cacheHitRatioBelow\": 0.95")) << path;
    EXPECT_THAT(body, HasSubstr("\"p95SecondsAbove\": 2")) << path;
    EXPECT_THAT(body, HasSubstr("\"databaseConnectionsAbove\": 0.8")) << path;
    EXPECT_THAT(body, HasSubstr("\"redisMemoryAbove\": 0.05")) << path;
  }
  walrelay().configure(config(kUsers, "health: {p95_above: 1500ms}"));
  EXPECT_EQ(walrelay().command({"reload"}).output, "changed: health\n");
  const std::string body = walrelay().http("/health/redis").body;
  EXPECT_THAT(body, HasSubstr("\"cacheHitRatioBelow\": 0.7"));
  EXPECT_THAT(body, HasSubstr("\"p95SecondsAbove\": 1.5"));
  EXPECT_EQ(sessions(), before);
}

// A session connects to Redis first: without a look of its own the database would seem to be away, too.
TEST_F(HealthTest, RedisIsAwayAndPostgresIsNot) {
  start(kUsers);
  redis().stop();
  EXPECT_TRUE(becomes("503 degraded postgresql:ok redis:error"));
  EXPECT_TRUE(flag("/health/db", "postgresql", 503));
  EXPECT_FALSE(flag("/health/db", "redis", 503));
  EXPECT_FALSE(flag("/health/redis", "redis", 503));
  EXPECT_EQ(walrelay().http("/livez").status, 200);
  EXPECT_EQ(walrelay().http("/startupz").status, 200);
  EXPECT_THAT(walrelay().http("/readyz?verbose=1").body, HasSubstr("[-]redis failed"));
  redis().start();
  EXPECT_TRUE(becomes("200 ok postgresql:ok redis:ok"));
}

TEST_F(HealthTest, PostgresIsAwayAndRedisIsNot) {
  start(kUsers);
  postgres().stop("fast");
  EXPECT_TRUE(becomes("503 degraded postgresql:error redis:ok"));
  EXPECT_FALSE(flag("/health/db", "postgresql", 503));
  EXPECT_TRUE(flag("/health/redis", "redis", 200));
  redis().stop();
  EXPECT_TRUE(becomes("503 error postgresql:error redis:error"));
  postgres().start();
  redis().start();
  EXPECT_TRUE(becomes("200 ok postgresql:ok redis:ok"));
}

// Nobody streams while Redis is away, and just then the server's log piles up: it is seen, and the lag grows.
TEST_F(HealthTest, TheSlotIsSeenWhileRedisIsAway) {
  start(kUsers);
  redis().stop();
  EXPECT_TRUE(eventually([this] { return walrelay().http("/readyz").status == 503; }));
  sql("INSERT INTO users SELECT i FROM generate_series(2, 50000) i");
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_slot_retained_wal_bytes").value_or(0) > 1e6; }));
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_replication_lag_bytes").value_or(0) > 1e6; }));
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_replication_lag_seconds").value_or(0) > 0.5; }));
  redis().start();
  walrelay().wait_ready();
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_replication_lag_seconds") == 0; }));
}

TEST_F(HealthTest, ProbesListWhatTheyLookedAt) {
  start(kUsers);
  EXPECT_THAT(walrelay().http("/livez?verbose").body, HasSubstr("[+]event-loop ok: at most "));
  EXPECT_THAT(walrelay().http("/startupz?verbose=1").body, HasSubstr("[+]configuration ok\nstartupz check passed\n"));
  const std::string ready = walrelay().http("/readyz?verbose=1").body;
  for (const char* line : {"[+]process ok", "[+]postgresql ok", "[+]redis ok", "[+]slot ok", "[+]tables ok: Live"}) {
    EXPECT_THAT(ready, HasSubstr(line));
  }
  EXPECT_EQ(walrelay().http("/healthz").body, "alive\n");
}

// What is committed is still being sent: the kubelet must not restart the process for that.
TEST_F(HealthTest, LivesWhileItDrains) {
  start(kUsers);
  redis().pause();
  sql("INSERT INTO users SELECT i FROM generate_series(2, 1000) i");
  // Before it has come here there is nothing to drain.
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_transactions_total").value_or(0) > 0; }));
  walrelay().process().signal(SIGTERM);
  walrelay().wait_log("stopping");
  EXPECT_EQ(walrelay().http("/livez").status, 200);
  EXPECT_EQ(walrelay().http("/startupz").status, 200);
  EXPECT_EQ(walrelay().http("/readyz").status, 503);
  redis().resume();
  EXPECT_EQ(walrelay().wait(seconds(20)), 0);
}

}  // namespace
}  // namespace walrelay::support
