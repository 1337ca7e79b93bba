// Opening a RedisConnection, against a fake server in the same loop.
#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {
namespace {

TEST_F(RedisConnectionTest, IntroducesItself) {
  struct Case {
    std::string name;
    std::function<void(RedisOptions&)> change;
    std::vector<Words> expected;
  };
  const std::vector<Case> cases = {
      {"nothing", [](RedisOptions&) {}, {{"CLIENT", "SETNAME", "walrelay"}}},
      {"password",
       [](RedisOptions& o) { o.password = [] { return "secret"; }; },
       {{"AUTH", "secret"}, {"CLIENT", "SETNAME", "walrelay"}}},
      {"user",
       [](RedisOptions& o) {
         o.user = "ada";
         o.password = [] { return "secret"; };
       },
       {{"AUTH", "ada", "secret"}, {"CLIENT", "SETNAME", "walrelay"}}},
      {"database",
       [](RedisOptions& o) {
         o.database = 3;
         o.client_name = "x";
       },
       {{"CLIENT", "SETNAME", "x"}, {"SELECT", "3"}}},
      {"no name, a host name",
       [](RedisOptions& o) {
         o.client_name.clear();
         o.host = "localhost";
       },
       {}},
  };
  for (const Case& one : cases) {
    server.seen.clear();
    RedisOptions options = server.options();
    one.change(options);
    RedisConnection connection(loop, options);
    run_task(loop, connection.open());
    std::vector<Words> expected = one.expected;
    expected.push_back({"INFO", "server"});
    expected.push_back({"ROLE"});
    EXPECT_EQ(server.seen, expected) << one.name;
    EXPECT_TRUE(connection.is_open());
    EXPECT_EQ(connection.server_version(), 70015);
    EXPECT_FALSE(connection.is_replica());
  }
}

TEST_F(RedisConnectionTest, AsksForThePasswordAtEveryConnect) {
  RedisOptions options = server.options();
  int asked = 0;
  options.password = [&] { return "secret" + std::to_string(++asked); };
  RedisConnection connection(loop, options);
  run_task(loop, connection.open());
  run_task(loop, connection.open());
  EXPECT_EQ(server.seen[4], (Words{"AUTH", "secret2"}));
}

TEST_F(RedisConnectionTest, KnowsAReplicaAndAnUnknownVersion) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] == "INFO") return error("NOPERM no permission");
    if (words[0] == "ROLE") return array({bulk("slave"), bulk("127.0.0.1"), integer(1)});
    return std::nullopt;
  };
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  EXPECT_EQ(connection.server_version(), 0);
  EXPECT_TRUE(connection.is_replica());
}

TEST_F(RedisConnectionTest, SaysWhyItCannotBeOpened) {
  struct Case {
    std::string name, command, reply, code, words;
  };
  const std::vector<Case> cases = {
      {"password", "AUTH", error("WRONGPASS invalid username-password pair or user is disabled."), "WRONGPASS",
       "refused AUTH: WRONGPASS invalid"},
      {"no password", "CLIENT", error("NOAUTH Authentication required."), "NOAUTH", "refused CLIENT: NOAUTH"},
      {"loading", "SELECT", error("LOADING Redis is loading the dataset in memory"), "LOADING", "LOADING Redis is"},
      {"garbage", "CLIENT", "hello\r\n", "CONNECT", "its bytes are no Redis protocol"},
      {"huge array", "CLIENT", "*4000000000\r\n", "CONNECT", "its bytes are no Redis protocol"},
  };
  for (const Case& one : cases) {
    server.on_command = [&one](const Words& words) -> std::optional<std::string> {
      if (words[0] == one.command) return one.reply;
      return std::nullopt;
    };
    RedisOptions options = server.options();
    options.database = 1;
    options.password = [] { return "not-to-be-seen"; };
    RedisConnection connection(loop, options);
    const RedisError failure = open_error(connection);
    EXPECT_EQ(failure.code(), one.code) << one.name;
    EXPECT_THAT(failure.what(), HasSubstr(one.words)) << one.name;
    EXPECT_THAT(failure.what(), HasSubstr("Redis at 127.0.0.1:" + std::to_string(server.port()))) << one.name;
    EXPECT_THAT(failure.what(), testing::Not(HasSubstr("not-to-be-seen"))) << one.name;
    EXPECT_FALSE(connection.is_open());
  }
}

TEST_F(RedisConnectionTest, SaysWhatAFullServerSays) {
  server.greeting = error("ERR max number of clients reached");
  RedisConnection connection(loop, server.options());
  const RedisError failure = open_error(connection);
  EXPECT_EQ(failure.code(), "ERR");
  EXPECT_THAT(failure.what(), HasSubstr("max number of clients reached"));
}

TEST_F(RedisConnectionTest, ARefusedConnection) {
  RedisOptions options = server.options();
  {
    event::Loop other;
    options.port = FakeRedis(other).port();  // nobody listens there any more
  }
  RedisConnection connection(loop, options);
  const RedisError failure = open_error(connection);
  EXPECT_EQ(failure.code(), "CONNECT");
  EXPECT_EQ(failure.what(), "connect to Redis at 127.0.0.1:" + std::to_string(options.port) + ": connection refused");
}

TEST_F(RedisConnectionTest, AnUnknownHostAndAMissingSocket) {
  RedisOptions options = server.options();
  options.host = "no-such-host.invalid";
  RedisConnection by_name(loop, options);
  const RedisError unknown = open_error(by_name);
  EXPECT_EQ(unknown.code(), "CONNECT");
  EXPECT_THAT(unknown.what(), HasSubstr("no-such-host.invalid"));

  options.unix_path = "/nonexistent/redis.sock";
  RedisConnection by_path(loop, options);
  const RedisError missing = open_error(by_path);
  EXPECT_EQ(missing.code(), "CONNECT");
  EXPECT_THAT(missing.what(),
              testing::StrCaseEq("connect to Redis at /nonexistent/redis.sock: no such file or directory"));
}

TEST_F(RedisConnectionTest, ASilentServerTimesOut) {
  server.on_command = [](const Words&) { return std::optional<std::string>(""); };
  RedisOptions options = server.options();
  options.connect_timeout = event::milliseconds(50);
  RedisConnection connection(loop, options);
  const RedisError failure = open_error(connection);
  EXPECT_EQ(failure.code(), "TIMEOUT");
  EXPECT_THAT(failure.what(), HasSubstr("no answer within 50 ms"));
  server.on_command = nullptr;
  run_task(loop, connection.open());  // and can be opened again
  EXPECT_TRUE(connection.is_open());
}

// However the server behaves while it is being met, there is one clear error and nothing leaks or hangs.
TEST_F(RedisConnectionTest, BrokenAtEveryReplyOfTheIntroduction) {
  for (std::size_t k = 0;; ++k) {
    server.replies = 0;
    server.break_at_reply = k;
    RedisOptions options = server.options();
    options.password = [] { return "p"; };
    options.database = 1;
    RedisConnection connection(loop, options);
    bool lost = false;
    connection.on_lost = [&](const std::exception_ptr&) { lost = true; };
    const RedisError failure = open_error(connection);
    if (failure.code().empty()) {
      EXPECT_EQ(k, 5U);
      break;
    }
    EXPECT_EQ(failure.code(), "CONNECT") << k;
    EXPECT_THAT(failure.what(), HasSubstr("the server closed it")) << k;
    EXPECT_FALSE(lost) << k;
  }
}

// The owner gives up: also when the socket is ready, and who waits for it has not gone on yet. Then it has one error.
TEST_F(RedisConnectionTest, ClosedAtEveryTurnWhileItOpens) {
  bool opened = false;
  for (int turns = 0; !opened; ++turns) {
    ASSERT_LT(turns, 1000);
    RedisConnection connection(loop, server.options());
    std::optional<bool> failed;
    const event::Job job(loop, connection.open(), [&](const std::exception_ptr& error) { failed = error != nullptr; });
    for (int i = 0; i < turns && !failed; ++i) uv_run(loop.raw(), UV_RUN_ONCE);
    opened = failed == false;
    event::Deferred closing(loop, [&] { connection.close(); });
    closing.schedule();  // before anything that this turn's sockets bring
    support::run_until(loop, [&] { return failed && !closing.scheduled(); });
    EXPECT_FALSE(connection.is_open());
  }
}

}  // namespace
}  // namespace walrelay::sinks
