// examples/hybrid: lifetimes by the application's variable, and servers that go away (H-A3).
#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {
namespace {

class AcceptanceHybridOutage : public Acceptance {
 protected:
  AcceptanceHybridOutage() : Acceptance("hybrid") {}
  void TearDown() override {
    if (!redis().running()) redis().start();
    if (!postgres().running()) postgres().start();
    Acceptance::TearDown();
  }

  void rows() const {
    sql("INSERT INTO assets (version_id, name, content_hash) VALUES ('AA11','Rainfall','ff00'),('BB22','Wind','ff01');"
        "INSERT INTO policies VALUES ('pol-1','Open data',true,'{}','2026-01-01 00:00+00','2026-01-01 00:00+00')");
  }
  void rename(const std::string& to) const { sql("UPDATE assets SET name='" + to + "' WHERE version_id='AA11'"); }
  testing::AssertionResult name_is(const std::string& expected) {
    return eventually_equal(
        [&] { return sql("SELECT $json$" + redis().command("GET", "cache:asset:aa11") + "$json$::jsonb->>'name'"); },
        expected);
  }
  [[nodiscard]] bool confirmed(const std::string& position) const {
    return sql("SELECT confirmed_flush_lsn >= '" + position + "' FROM pg_replication_slots WHERE slot_name = '" +
               name() + "'") == "t";
  }
  testing::AssertionResult readiness_is(int status, milliseconds timeout = kPatience) {
    return eventually_equal([&] { return walrelay().http("/readyz").status; }, status, timeout);
  }
  // Its status is this, and its body holds these words.
  testing::AssertionResult health_is(const std::string& path, int status, const std::string& words) {
    HttpAnswer last;
    const bool so = bool(eventually([&] {
      last = walrelay().http(path);
      return last.status == status && last.body.find(words) != std::string::npos;
    }));
    if (so) return testing::AssertionSuccess();
    return testing::AssertionFailure() << path << " answers " << last.status << " " << last.body;
  }
};

TEST_P(AcceptanceHybridOutage, HA3ClassesOfLifetimesByTheVariable) {
  rows();
  run({{"CACHE_TTLS_JSON", R"({"assets":5000})"}});
  interrupt();
  rename("Rainfall v2");
  EXPECT_TRUE(name_is("Rainfall v2"));
  const long left = number("PTTL cache:asset:aa11");
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 5000);
  sql("UPDATE policies SET name='Open data only'");
  EXPECT_TRUE(json_is("cache:policy:pol-1", R"('{"policy_id":"pol-1","name":"Open data only","enabled":true,"doc":{},
    "created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z"}')"));
  const long policy = number("PTTL cache:policy:pol-1");
  EXPECT_GT(policy, 590000);
  EXPECT_LE(policy, 600000);
  expect_verified();
}

TEST_P(AcceptanceHybridOutage, HA3AVariableThatIsNoJsonIsSaidAndTheDefaultsStay) {
  rows();
  run({{"CACHE_TTLS_JSON", "assets=5000"}});
  walrelay().wait_log("CACHE_TTLS_JSON");
  interrupt();
  rename("Rainfall v2");
  EXPECT_TRUE(name_is("Rainfall v2"));
  EXPECT_GT(number("PTTL cache:asset:aa11"), 290000);
  expect_verified();
}

TEST_P(AcceptanceHybridOutage, HA3RedisGoesAndComesBackEmpty) {
  rows();
  run();
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11 cache:asset:bb22 cache:policy:pol-1", "3"));
  redis().stop();
  EXPECT_TRUE(readiness_is(503));
  EXPECT_TRUE(
      health_is("/health", 503, R"({"status": "degraded", "database": "postgresql:ok", "cache": "redis:error"})"));
  EXPECT_TRUE(health_is("/health/db", 503, R"("postgresql": true,)"));
  EXPECT_TRUE(health_is("/health/db", 503, R"("redis": false,)"));
  const std::string before = sql("SELECT pg_current_wal_insert_lsn()");
  rename("Rainfall v2");
  const std::string after = sql("SELECT pg_current_wal_insert_lsn()");
  if (GetParam() == Course::killed) {
    walrelay().kill();
    walrelay().start();
  }
  EXPECT_FALSE(confirmed(after)) << "after " << before;
  redis().start();
  EXPECT_TRUE(readiness_is(200, seconds(10)));
  EXPECT_TRUE(health_is("/health", 200, R"({"status": "ok", "database": "postgresql:ok", "cache": "redis:ok"})"));
  EXPECT_TRUE(name_is("Rainfall v2"));
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11 cache:asset:bb22 cache:policy:pol-1", "3"));
  EXPECT_TRUE(eventually([&] { return confirmed(after); }, seconds(60)));
  expect_verified();
}

TEST_P(AcceptanceHybridOutage, HA3PostgresGoesAndComesBack) {
  rows();
  run();
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11 cache:asset:bb22", "2"));
  rename("Rainfall v2");
  EXPECT_TRUE(name_is("Rainfall v2"));
  postgres().stop();
  EXPECT_TRUE(readiness_is(503));
  EXPECT_TRUE(health_is("/health", 503, R"("database": "postgresql:error", "cache": "redis:ok"})"));
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11 cache:asset:bb22", "2")) << "what is cached stays readable";
  if (GetParam() == Course::killed) {
    walrelay().kill();
    walrelay().start();
  }
  postgres().start();
  EXPECT_TRUE(readiness_is(200));
  rename("Rainfall v3");
  EXPECT_TRUE(name_is("Rainfall v3"));
  if (GetParam() == Course::plain) {
    EXPECT_EQ(walrelay().metric("walrelay_gaps_total").value_or(0), 0.0) << "it went on where it was";
  }
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceHybridOutage, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
