// The fixture itself: what every other system test trusts.
#include "tests/support/servers.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <thread>

namespace walrelay::support {
namespace {

namespace fs = std::filesystem;

TEST(ServersTest, PostgresAnswersByBothWays) {
  Postgres postgres;
  EXPECT_EQ(postgres.sql("SELECT 1 + 1"), "2");
  EXPECT_EQ(postgres.sql("SELECT 1; SELECT 'two\nlines'"), "1\ntwo\nlines");
  EXPECT_EQ(postgres.sql("SHOW wal_level"), "logical");
  EXPECT_EQ(postgres.sql("SHOW max_replication_slots"), "20");
  const auto by_url = run_program(postgres.socket_dir(), {"psql", "-XAt", postgres.url(), "-c", "SELECT current_user"});
  EXPECT_EQ(by_url.output, "postgres\n") << by_url.errors;
}

TEST(ServersTest, PostgresReportsAStatementThatFails) {
  Postgres postgres;
  try {
    postgres.sql("SELECT 1; SELECT * FROM nowhere; SELECT 2");
    FAIL() << "no error";
  } catch (const SqlError& error) {
    EXPECT_NE(std::string(error.what()).find("42P01: relation \"nowhere\" does not exist"), std::string::npos)
        << error.what();
  }
}

TEST(ServersTest, PostgresTakesSettingsFromTheTest) {
  Postgres postgres(
      {.settings = {{"wal_level", "replica"}, {"wal_sender_timeout", "2s"}}, .initdb = {"--wal-segsize=1"}});
  EXPECT_EQ(postgres.sql("SHOW wal_level"), "replica");
  EXPECT_EQ(postgres.sql("SHOW wal_sender_timeout"), "2s");
  EXPECT_EQ(postgres.sql("SHOW wal_segment_size"), "1MB");
  postgres.set("wal_sender_timeout", "3s");
  EXPECT_EQ(postgres.sql("SHOW wal_sender_timeout"), "3s");
}

TEST(ServersTest, PostgresKeepsDataAndPortThroughEveryKindOfEnd) {
  Postgres postgres;
  postgres.sql("CREATE TABLE t (n int)");
  const int port = postgres.port();
  int rows = 0;
  for (const char* end : {"fast", "immediate", "smart", "kill"}) {
    postgres.sql("INSERT INTO t VALUES (1)");
    ++rows;
    if (std::string(end) == "kill") {
      postgres.kill();
    } else {
      EXPECT_LT(postgres.stop(end), seconds(10)) << end;
    }
    EXPECT_FALSE(postgres.running()) << end;
    EXPECT_THROW(postgres.sql("SELECT 1"), SqlError) << end;
    postgres.start();
    EXPECT_EQ(postgres.sql("SELECT count(*) FROM t"), std::to_string(rows)) << end;
  }
  EXPECT_EQ(postgres.port(), port);
}

TEST(ServersTest, PostgresStopsAnsweringWhilePaused) {
  Postgres postgres;
  PsqlSession session(postgres);
  EXPECT_EQ(session.sql("SELECT 1"), "1");
  postgres.pause();
  EXPECT_THROW(session.sql("SELECT 2", milliseconds(200)), SqlError);
  postgres.resume();
  EXPECT_EQ(postgres.sql("SELECT 3"), "3");
}

TEST(ServersTest, PostgresListsItsProcesses) {
  Postgres postgres;
  EXPECT_EQ(postgres.processes("checkpointer").size(), 1U);
  EXPECT_TRUE(postgres.processes("walsender").empty());
  EXPECT_GT(postgres.processes().size(), 4U);
}

TEST(ServersTest, PostgresAsksForAPasswordWhereTold) {
  Postgres postgres({.hba = {"host all guarded 127.0.0.1/32 scram-sha-256"}});
  postgres.sql("CREATE ROLE guarded LOGIN PASSWORD 'secret'");
  const auto connect = [&](const std::string& password) {
    const std::string url = "postgresql://guarded@127.0.0.1:" + std::to_string(postgres.port()) + "/postgres";
    return run_program(postgres.socket_dir(), {"psql", "-XAtw", url, "-c", "SELECT 1"}, "", {{"PGPASSWORD", password}})
        .status;
  };
  EXPECT_EQ(connect("secret"), 0);
  EXPECT_EQ(connect("wrong"), 2);
  postgres.set_hba({});
  EXPECT_EQ(connect("wrong"), 0);
}

TEST(ServersTest, PostgresFilesBelongToTheServer) {
  Postgres postgres;
  const std::string path = postgres.place("walrelay-test.txt", "hello\n");
  EXPECT_EQ(postgres.sql("SELECT pg_read_file('" + path + "')"), "hello\n");
}

TEST(ServersTest, SessionKeepsATransactionOpen) {
  Postgres postgres;
  PsqlSession session(postgres);
  session.sql("CREATE TABLE t (n int)");
  session.sql("BEGIN; INSERT INTO t VALUES (1)");
  EXPECT_EQ(session.sql("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(postgres.sql("SELECT count(*) FROM t"), "0");
  session.sql("COMMIT");
  EXPECT_EQ(postgres.sql("SELECT count(*) FROM t"), "1");
  EXPECT_THROW(session.sql("SELECT * FROM nowhere"), SqlError);
  EXPECT_EQ(session.sql("SELECT 'still here'"), "still here");
}

TEST(ServersTest, RedisAnswersInEveryShape) {
  Redis redis;
  EXPECT_EQ(redis.command("SET", "k", "v"), "OK");
  EXPECT_EQ(redis.command("GET", "k"), "v");
  EXPECT_EQ(redis.command("GET", "none"), "(nil)");
  EXPECT_EQ(redis.command("INCR", "n"), "1");
  EXPECT_EQ(redis.command("MGET", "k", "none", "n"), "v\n(nil)\n1");
  redis.command("HSET", "h", "a", "1", "b", std::string("two\r\n\0lines", 11));
  const std::map<std::string, std::string> expected = {{"a", "1"}, {"b", std::string("two\r\n\0lines", 11)}};
  EXPECT_EQ(redis.hgetall("h"), expected);
  EXPECT_EQ(redis.keys(), (std::vector<std::string>{"h", "k", "n"}));
  EXPECT_EQ(redis.client().hashes().at("h"), expected);
  EXPECT_EQ(redis.info("role"), "master");
  EXPECT_THROW(redis.command("HGET", "k", "a"), RedisError);
  redis.flush();
  EXPECT_TRUE(redis.keys().empty());
}

TEST(ServersTest, RedisIsTheSameServerAgain) {
  Redis redis({.arguments = {"--appendonly", "yes", "--appendfsync", "always"}});
  const int port = redis.port();
  redis.command("SET", "k", "v");
  redis.stop();
  EXPECT_FALSE(redis.running());
  redis.start();
  EXPECT_TRUE(eventually_equal([&] { return redis.command("GET", "k"); }, "v"));  // it may be reading its file yet
  redis.command("SET", "k", "w");
  redis.kill();
  EXPECT_THROW(redis.command("GET", "k"), std::runtime_error);
  redis.start();
  EXPECT_TRUE(eventually_equal([&] { return redis.command("GET", "k"); }, "w"));
  EXPECT_EQ(redis.port(), port);
}

TEST(ServersTest, RedisKeepsQuietWhilePaused) {
  Redis redis;
  redis.command("SET", "k", "v");
  redis.pause();
  const auto ping = run_program(redis.folder(), {"timeout", "0.3", "redis-cli", "-s", redis.socket_path(), "PING"});
  EXPECT_EQ(ping.status, 124);
  redis.resume();
  EXPECT_EQ(redis.command("GET", "k"), "v");
}

TEST(ServersTest, ManyServersAtOnceDoNotMeet) {
  std::vector<std::thread> threads;
  std::vector<std::string> answers(4);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&answers, i] {
      Postgres postgres;
      Redis redis;
      redis.command("SET", "me", std::to_string(i));
      answers[i] = postgres.sql("SELECT " + std::to_string(i)) + redis.command("GET", "me");
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answers, (std::vector<std::string>{"00", "11", "22", "33"}));
}

TEST(ServersTest, ProcessesTellHowTheyEnded) {
  const TemporaryFolder folder("process");
  const auto status = [&](const std::vector<std::string>& argv) { return run_program(folder.path(), argv).status; };
  EXPECT_EQ(status({"true"}), 0);
  EXPECT_EQ(status({"sh", "-c", "exit 78"}), 78);
  EXPECT_EQ(status({"sh", "-c", "kill -TERM $$"}), 128 + SIGTERM);
  EXPECT_THROW(status({"no-such-program"}), std::runtime_error);
  EXPECT_EQ(run_program(folder.path(), {"cat"}, "fed").output, "fed");
  EXPECT_EQ(run_program(folder.path(), {"sh", "-c", "echo $A >&2"}, "", {{"A", "set"}}).errors, "set\n");
  EXPECT_THROW(run_program(folder.path(), {"cat", "/dev/zero"}, "", {}, milliseconds(50)), std::runtime_error);
}

// A test that ctest kills at its time limit, with everything stopped half-way, must leave nothing behind.
TEST(ServersTest, NothingSurvivesATestThatIsKilled) {
  const TemporaryFolder folder("survivor");
  const std::string report = folder.path() + "/report";
  const pid_t test = ::fork();
  ASSERT_GE(test, 0);
  if (test == 0) {
    Postgres postgres;
    Redis redis;
    std::string left = postgres.socket_dir() + "\n" + redis.folder() + "\n";
    for (const pid_t process : postgres.processes()) left += "/proc/" + std::to_string(process) + "\n";
    left += "/proc/" + std::to_string(redis.process().pid()) + "\n";
    postgres.pause();
    redis.pause();
    write_file(report, left);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(test, &status, 0), test);
  ASSERT_TRUE(WIFSIGNALED(status)) << status << "; " << read_file(report);
  std::istringstream lines(read_file(report));
  int count = 0;
  for (std::string path; std::getline(lines, path); ++count) {
    // A killed process that nobody has reaped yet still has its entry, without a command line.
    EXPECT_TRUE(eventually([&] {
      return !fs::exists(path) || (path.starts_with("/proc/") && read_file(path + "/cmdline").empty());
    })) << path;
  }
  EXPECT_GT(count, 6);
}

TEST(ServersTest, EventuallyShowsTheLastState) {
  const auto never = eventually_equal([] { return 3; }, 4, milliseconds(20));
  EXPECT_FALSE(never);
  EXPECT_STREQ(never.message(), "not so after 20 ms; at last: it is 3, expected 4");
  const auto thrown = eventually([]() -> bool { throw std::runtime_error("away"); }, milliseconds(20));
  EXPECT_STREQ(thrown.message(), "not so after 20 ms; at last: it threw: away");
  int asked = 0;
  EXPECT_TRUE(eventually([&] { return ++asked == 3; }));
}

TEST(ServersTest, NobodyAnswersHttpOnAFreePort) { EXPECT_EQ(http_get(free_port(), "/livez").status, 0); }

}  // namespace
}  // namespace walrelay::support
