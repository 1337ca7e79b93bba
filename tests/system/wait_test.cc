// `walrelay wait` and GET /api/v1/wait: whoever has committed a change and waits for its position, reads it in Redis.
#include <signal.h>

#include "tests/support/sql_connection.h"
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class WaitTest : public RebuildFixture {
 protected:
  std::string position() { return sql("SELECT pg_current_wal_insert_lsn()"); }
  int wait_for(const std::string& lsn, const std::string& timeout = "10s") {
    return walrelay().ask("GET", "/api/v1/wait?lsn=" + lsn + "&timeout=" + timeout).status;
  }
};

TEST_F(WaitTest, ReadYourWrites) {
  users(0);
  start(kUsers);
  SqlConnection connection(postgres().conninfo(name()));
  for (int id = 1; id <= 200; ++id) {
    const std::string number = std::to_string(id);
    connection.run("INSERT INTO users VALUES (" + number + ", 'v" + number + "')");
    const std::string lsn = *connection.run("SELECT pg_current_wal_insert_lsn()").rows[0][0];
    const auto answer = walrelay().ask("GET", "/api/v1/wait?lsn=" + lsn + "&timeout=10s");
    ASSERT_EQ(answer.status, 200) << "row " << id << ": " << answer.body;
    ASSERT_EQ(redis().command("HGET", "user:" + number, "name"), "v" + number) << answer.body;
  }
}

// Rows that must be read again, because their change came without a column, are waited for, too.
TEST_F(WaitTest, ReadYourUpdatesThatLeaveAColumnOut) {
  sql("CREATE TABLE docs (id int PRIMARY KEY, n int, big text); ALTER TABLE docs ALTER big SET STORAGE EXTERNAL; "
      "INSERT "
      "INTO docs VALUES (1, 0, repeat('x', 10000))");
  start("  - {name: docs, table: docs, write: {string: {key: \"doc:{id}\"}}}\n");
  SqlConnection connection(postgres().conninfo(name()));
  for (int n = 1; n <= 20; ++n) {
    connection.run("UPDATE docs SET n = " + std::to_string(n));
    const std::string lsn = *connection.run("SELECT pg_current_wal_insert_lsn()").rows[0][0];
    ASSERT_EQ(wait_for(lsn), 200);
    ASSERT_THAT(redis().command("GET", "doc:1"), HasSubstr("\"n\":" + std::to_string(n) + ","));
  }
}

TEST_F(WaitTest, OnAnIdleServer) {
  users(3);
  start(kUsers);
  EXPECT_EQ(wait_for(position()), 200);
  EXPECT_EQ(wait_for(position()), 200);
  sql("SELECT pg_switch_wal()");
  EXPECT_EQ(wait_for(position()), 200);
  sql("CHECKPOINT");
  EXPECT_EQ(wait_for(position()), 200);
  EXPECT_EQ(wait_for("0/1", "0"), 200) << "long ago";
  EXPECT_EQ(walrelay().command({"wait", "--lsn", position()}).status, 0);
  EXPECT_EQ(walrelay().command({"wait", "--caught-up"}).status, 0);
}

// What the stream has not brought yet belongs to "everything" as well: the one who sends it is stopped before the
// commit, so nothing tells of it but the server itself.
TEST_F(WaitTest, CaughtUpKnowsOfACommitThatTheStreamHasNotBrought) {
  users(0);
  start(kUsers);
  const auto sender = static_cast<pid_t>(
      std::stol(sql("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '" + name() + "'")));
  for (int id = 1; id <= 10; ++id) {
    const std::string number = std::to_string(id);
    ASSERT_EQ(kill(sender, SIGSTOP), 0);
    sql("INSERT INTO users VALUES (" + number + ", 'late')");
    const auto early = walrelay().ask("GET", "/api/v1/wait?caught_up=true&timeout=100ms");
    ASSERT_EQ(kill(sender, SIGCONT), 0);
    ASSERT_EQ(early.status, 504) << "row " << id << ": " << early.body;
    EXPECT_EQ(walrelay().command({"wait", "--caught-up"}).status, 0);
    EXPECT_EQ(redis().command("HGET", "user:" + number, "name"), "late");
  }
}

// The second of two commits waits for the next batch.
TEST_F(WaitTest, CaughtUpRightAfterACommit) {
  users(0);
  start(kUsers, "flush: {interval: 150ms}");
  SqlConnection connection(postgres().conninfo(name()));
  for (int id = 1; id <= 60; id += 2) {
    connection.run("SET synchronous_commit = " + std::string(id % 4 == 1 ? "on" : "off"));
    connection.run("INSERT INTO users VALUES (" + std::to_string(id) + ", 'first')");
    connection.run("INSERT INTO users VALUES (" + std::to_string(id + 1) + ", 'second')");
    const auto answer = walrelay().ask("GET", "/api/v1/wait?caught_up=true&timeout=10s");
    ASSERT_EQ(answer.status, 200) << answer.body;
    ASSERT_EQ(redis().command("HGET", "user:" + std::to_string(id + 1), "name"), "second") << answer.body;
  }
}

// On an idle server nothing follows that would bring the stream to the end, wherever in a page that lies.
TEST_F(WaitTest, CaughtUpOnAnIdleServer) {
  users(3);
  start(kUsers);
  for (const char* before : {"SELECT 1", "SELECT pg_switch_wal()", "CHECKPOINT", "SELECT txid_current()"}) {
    sql(before);
    const auto answer = walrelay().ask("GET", "/api/v1/wait?caught_up=true&timeout=10s");
    EXPECT_EQ(answer.status, 200) << before << ": " << answer.body;
  }
}

// The question goes down with the session that asked it; the next one asks again.
TEST_F(WaitTest, CaughtUpThroughABrokenConnection) {
  users(3);
  start(kUsers);
  redis().pause();
  sql("INSERT INTO users VALUES (4, 'late')");
  Finished said;
  std::thread waiter([&] { said = walrelay().command({"wait", "--caught-up", "--timeout", "30s"}); });
  EXPECT_EQ(walrelay().command({"wait", "--caught-up", "--timeout", "300ms"}).status, 75);
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'walrelay " + name() + " %'");
  walrelay().wait_log("retry_in_ms");
  redis().resume();
  waiter.join();
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_EQ(redis().command("HGET", "user:4", "name"), "late");
}

TEST_F(WaitTest, NotInTime) {
  users(3);
  start(kUsers);
  const auto answer = walrelay().ask("GET", "/api/v1/wait?lsn=FFFFFFFF/0&timeout=50ms");
  EXPECT_EQ(answer.status, 504) << answer.body;
  EXPECT_EQ(JobAnswer(answer).text("reached"), "false");
  EXPECT_EQ(walrelay().command({"wait", "--lsn", "FFFFFFFF/0", "--timeout", "300ms"}).status, 75);
  redis().pause();
  sql("INSERT INTO users VALUES (4, 'late')");
  EXPECT_EQ(wait_for(position(), "100ms"), 504);
  EXPECT_EQ(walrelay().command({"wait", "--caught-up", "--timeout", "300ms"}).status, 75);
  redis().resume();
  EXPECT_EQ(wait_for(position()), 200);
  EXPECT_EQ(redis().command("EXISTS", "user:4"), "1");
}

TEST_F(WaitTest, BeforeWalrelayIsUp) {
  users(100);
  launch(kUsers);
  walrelay().kill();
  EXPECT_EQ(walrelay().command({"wait", "--caught-up", "--timeout", "300ms"}).status, 75);
  Finished said;
  std::thread waiter([&] { said = walrelay().command({"wait", "--caught-up", "--timeout", "30s"}); });
  walrelay().start();
  waiter.join();
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_EQ(redis().keys("user:*").size(), 100U) << "every row was read";
}

// A position from before the load says nothing of the rows that are still to be read.
TEST_F(WaitTest, WhileTablesAreBeingRead) {
  users(30000);
  const std::string committed = position();
  launch(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
  int early = 0;
  EXPECT_TRUE(eventually([&] {
    if (wait_for(committed, "0") == 200) return true;
    ++early;
    return false;
  }));
  EXPECT_EQ(redis().command("EXISTS", "user:30000"), "1") << "answered when not every row was there";
  EXPECT_GT(early, 0);
}

}  // namespace
}  // namespace walrelay::support
