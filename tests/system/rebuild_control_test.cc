// How jobs are begun, refused, followed, cancelled, and what ends or delays them. The stream goes on through all of it.
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class RebuildControlTest : public RebuildFixture {
 protected:
  // Nobody reads the table while this lives, so that a job waits at its next look at it.
  class Lock {
   public:
    explicit Lock(const RebuildControlTest& test, const std::string& table = "users")
        : session_(postgres(), test.name()) {
      session_.sql("BEGIN; LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
    }
    void release() { session_.sql("COMMIT"); }

   private:
    PsqlSession session_;
  };
  testing::AssertionResult waits_for_lock() {
    return eventually_equal(
        [this] {
          return sql(
              "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
              "application_name LIKE 'walrelay%rebuild'");
        },
        "t");
  }
  void stream_goes_on() {
    sql("INSERT INTO users VALUES (5000 + (random() * 1000)::int, 'streamed') ON CONFLICT DO NOTHING");
    EXPECT_TRUE(users_in_step());
  }
};

TEST_F(RebuildControlTest, UnknownMappingsRoutesAndMethods) {
  users(5);
  start(kUsers);
  EXPECT_EQ(post(route("nobody")).http(), 404);
  EXPECT_THAT(post(route("nobody")).text("error"), HasSubstr("\"nobody\""));
  EXPECT_EQ(get(route("nobody", "/status")).http(), 404);
  EXPECT_EQ(cancel(route("nobody")).http(), 404);
  EXPECT_EQ(cancel(route("users")).http(), 404) << "none runs";
  EXPECT_EQ(get("/api/v1/nothing").http(), 404);
  EXPECT_EQ(get(route("users")).http(), 405);
  EXPECT_EQ(post(route("users", "/status")).http(), 405);
  EXPECT_EQ(post("/api/v1/status").http(), 405);
  EXPECT_EQ(post(route("users", "?fast=true")).http(), 400);
  EXPECT_EQ(get("/api/v1/wait").http(), 400);
  EXPECT_EQ(get("/api/v1/wait?lsn=here").http(), 400);
  EXPECT_EQ(get("/api/v1/wait?lsn=0/1&timeout=soon").http(), 400);
  const auto before = get(route("users", "/status"));
  EXPECT_EQ(before.http(), 200);
  EXPECT_EQ(before.text("status"), "NOT_STARTED");
  EXPECT_EQ(before.text("startedAt"), "null");
  stream_goes_on();
}

TEST_F(RebuildControlTest, OneAtATimeAndCancelled) {
  users(100);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  plant({"user:7777"});
  Lock lock(*this);
  const auto begun = post(route("users"));
  EXPECT_EQ(begun.http(), 202);
  EXPECT_EQ(begun.text("status"), "RUNNING") << begun.body();
  ASSERT_TRUE(waits_for_lock());
  const auto refused = post(route("users"));
  EXPECT_EQ(refused.http(), 409);
  EXPECT_EQ(refused.text("startedAt"), begun.text("startedAt"));
  EXPECT_EQ(post(route("users", "?dry_run=true")).http(), 409);
  const auto cancelled = cancel(route("users"));
  EXPECT_EQ(cancelled.http(), 200);
  EXPECT_EQ(cancelled.text("status"), "CANCELLED");
  EXPECT_EQ(cancel(route("users")).http(), 404);
  lock.release();
  sql("INSERT INTO users VALUES (5000, 'streamed')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "user:5000"); }, "1"));
  EXPECT_EQ(left_of({"user:7777"}), std::vector<std::string>{"user:7777"});
  EXPECT_EQ(get(route("users", "/status")).text("status"), "CANCELLED");
  EXPECT_EQ(rebuild("users").text("removedKeys"), "1");
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildControlTest, CancelledWhileItReads) {
  users(20000);
  start(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
  ASSERT_TRUE(users_in_step());
  redis().command("EVAL", "for i = 1, 20000 do redis.call('DEL', 'user:' .. i) end", "0");
  ASSERT_EQ(post(route("users")).http(), 202);
  ASSERT_TRUE(enters("users", "reading"));
  EXPECT_EQ(cancel(route("users")).text("status"), "CANCELLED");
  sql("UPDATE users SET name = 'streamed' WHERE id IN (1, 19999)");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "user:19999", "name"); }, "streamed"));
  EXPECT_EQ(walrelay().http("/readyz").status, 200);
  const auto done = rebuild("users", "", seconds(60));
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_TRUE(users_in_step());
}

// The job that is asked for next is another one, even while the cancelled one has not noticed yet.
TEST_F(RebuildControlTest, AnotherJobRightAfterACancelledOne) {
  users(10);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  plant({"user:77"});
  redis().command("DEL", "user:1");
  Lock lock(*this);
  ASSERT_EQ(post(route("users", "?dry_run=true")).http(), 202);
  ASSERT_TRUE(waits_for_lock());
  EXPECT_EQ(cancel(route("users")).http(), 200);
  ASSERT_EQ(post(route("users")).http(), 202);
  lock.release();
  const auto done = finished("users");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("removedKeys"), "1") << done.body();
  EXPECT_EQ(done.text("processedRecords"), "10") << done.body();
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildControlTest, ADryRunRightAfterACancelledJobRemovesNothing) {
  sql("CREATE TABLE locked (id int PRIMARY KEY)");
  users(10);
  start("  - {name: both, tables: '^public\\.(users|locked)$', write: {hash: {key: \"user:{id}\"}}}\n");
  ASSERT_TRUE(users_in_step());
  plant({"user:77"});
  // It reads, and then waits at the sweep's question.
  Lock lock(*this, "locked");
  ASSERT_EQ(post(route("both", "?table=users")).http(), 202);
  ASSERT_TRUE(waits_for_lock());
  ASSERT_TRUE(enters("both", "sweeping"));
  EXPECT_EQ(cancel(route("both", "?table=users")).http(), 200);
  ASSERT_EQ(post(route("both", "?table=users&dry_run=true")).http(), 202);
  lock.release();
  const auto done = finished("both", "?table=users");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("removedKeys"), "1") << done.body();
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(left_of({"user:77"}), std::vector<std::string>{"user:77"});
}

// From this machine the token is not asked for; a wrong one is refused.
TEST_F(RebuildControlTest, AToken) {
  users(5);
  launch(kUsers);
  walrelay().kill();
  walrelay().configure(
      config(kUsers, "http: {listen: \"127.0.0.1:" + std::to_string(walrelay().port()) + "\", token: hush}"));
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_EQ(post(route("users"), "wrong").http(), 401);
  EXPECT_EQ(get(route("users", "/status")).text("status"), "NOT_STARTED");
  EXPECT_EQ(post(route("users"), "hush").http(), 202);
  EXPECT_EQ(finished("users").text("status"), "COMPLETED");
  EXPECT_EQ(walrelay().command({"rebuild"}).status, 0);
}

TEST_F(RebuildControlTest, APrivilegeThatIsMissingFailsTheJobOnly) {
  users(5);
  sql("CREATE ROLE reader_" + name() + " LOGIN REPLICATION; GRANT SELECT ON users TO reader_" + name() +
      "; CREATE PUBLICATION " + name() + " FOR TABLE users");
  connect_as("reader_" + name());
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  sql("REVOKE SELECT ON users FROM reader_" + name());
  const auto failed = rebuild("users");
  EXPECT_EQ(failed.text("status"), "FAILED") << failed.body();
  EXPECT_THAT(failed.text("errorMessage"), HasSubstr("GRANT SELECT ON \"public\".\"users\" TO reader_" + name()));
  stream_goes_on();
  sql(failed.text("errorMessage").substr(failed.text("errorMessage").find("; run: ") + 7));
  EXPECT_EQ(rebuild("users").text("status"), "COMPLETED");
  EXPECT_TRUE(walrelay().running());
  sql("DROP OWNED BY reader_" + name());
}

TEST_F(RebuildControlTest, APrivilegeThatGoesWhileItReads) {
  users(20000);
  sql("CREATE ROLE reader_" + name() + " LOGIN REPLICATION; GRANT SELECT ON users TO reader_" + name() +
      "; CREATE PUBLICATION " + name() + " FOR TABLE users");
  connect_as("reader_" + name());
  start(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
  ASSERT_TRUE(users_in_step());
  ASSERT_EQ(post(route("users")).http(), 202);
  ASSERT_TRUE(enters("users", "reading"));
  sql("REVOKE SELECT ON users FROM reader_" + name());
  const auto failed = finished("users");
  EXPECT_EQ(failed.text("status"), "FAILED") << failed.body();
  EXPECT_TRUE(walrelay().running()) << walrelay().log();
  stream_goes_on();
  sql("DROP OWNED BY reader_" + name());
}

TEST_F(RebuildControlTest, WaitsForARedisThatDoesNotAnswer) {
  users(100);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  plant({"user:7777"});
  redis().pause();
  EXPECT_EQ(post(route("users")).http(), 202);
  EXPECT_TRUE(get(route("users", "/status")).running());
  redis().resume();
  EXPECT_EQ(finished("users").text("removedKeys"), "1");
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildControlTest, WaitsForARedisThatIsAway) {
  users(100);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  redis().kill();
  EXPECT_EQ(post(route("users")).http(), 202);
  EXPECT_TRUE(get(route("users", "/status")).running());
  redis().start();
  plant({"user:7777"});
  EXPECT_EQ(finished("users", "", seconds(60)).text("status"), "COMPLETED");
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildControlTest, WaitsForAPostgresThatRestarts) {
  users(20000);
  start(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
  ASSERT_TRUE(users_in_step());
  plant({"user:77777"});
  EXPECT_EQ(post(route("users")).http(), 202);
  ASSERT_TRUE(enters("users", "reading"));
  postgres().restart("immediate");
  const auto done = finished("users", "", seconds(60));
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildControlTest, ItsConnectionsAreKilled) {
  users(5000);
  start(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
  ASSERT_TRUE(users_in_step());
  plant({"user:77777"});
  EXPECT_EQ(post(route("users")).http(), 202);
  for (int i = 0; i < 5; ++i) {
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'walrelay%rebuild' OR "
        "application_name LIKE 'walrelay%load'");
  }
  EXPECT_EQ(finished("users", "", seconds(60)).text("status"), "COMPLETED");
  EXPECT_TRUE(users_in_step());
}

// What a person reads of a finished job outlives the process.
TEST_F(RebuildControlTest, ResultsSurviveARestart) {
  users(10);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  plant({"user:77"});
  const auto done = rebuild("users");
  ASSERT_EQ(walrelay().terminate(), 0);
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_EQ(get(route("users", "/status")).body(), done.body());
}

}  // namespace
}  // namespace walrelay::support
