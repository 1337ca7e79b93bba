// RedisConnection against a real Redis: sockets, passwords, TLS, and a server that is full, paused or killed.
#include "sinks/redis_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/certificates.h"
#include "tests/support/servers.h"
#include "tests/support/sink_session.h"

namespace walrelay::sinks {
namespace {

using testing::HasSubstr;

class RedisConnectionSystemTest : public testing::Test {
 protected:
  static RedisOptions tcp(const support::Redis& redis) {
    RedisOptions options;
    options.port = redis.port();
    return options;
  }
  RedisError open_error(const RedisOptions& options) {
    RedisConnection connection(loop, options);
    return error_from([&] { run_task(loop, connection.open()); });
  }
  event::Loop loop;
};

TEST_F(RedisConnectionSystemTest, ByUnixSocketAddressAndName) {
  support::Redis redis;
  RedisOptions by_path;
  by_path.unix_path = redis.socket_path();
  by_path.database = 3;
  by_path.client_name = "tester";
  RedisOptions by_name = tcp(redis);
  by_name.host = "localhost";
  for (const RedisOptions& options : {by_path, tcp(redis), by_name}) {
    RedisConnection connection(loop, options);
    run_task(loop, connection.open());
    EXPECT_GE(connection.server_version(), 60000);
    EXPECT_FALSE(connection.is_replica());
    EXPECT_EQ(run_task(loop, connection.command({"PING"})).text, "PONG");
  }
  RedisConnection connection(loop, by_path);
  run_task(loop, connection.open());
  const Reply who = run_task(loop, connection.command({"CLIENT", "LIST"}));
  EXPECT_THAT(who.text, HasSubstr("name=tester"));
  EXPECT_THAT(who.text, HasSubstr("db=3"));
}

TEST_F(RedisConnectionSystemTest, Passwords) {
  support::Redis redis({.arguments = {"--requirepass", "secret"}, .password = "secret"});
  redis.command("ACL", "SETUSER", "ada", "on", ">lovelace", "~*", "+@all");
  RedisOptions options = tcp(redis);
  EXPECT_EQ(open_error(options).code(), "NOAUTH");
  options.password = [] { return "wrong-and-unseen"; };
  const RedisError wrong = open_error(options);
  EXPECT_EQ(wrong.code(), "WRONGPASS");
  EXPECT_THAT(wrong.what(), testing::Not(HasSubstr("unseen")));
  options.password = [] { return "secret"; };
  EXPECT_EQ(open_error(options).code(), "");
  options.user = "ada";
  EXPECT_EQ(open_error(options).code(), "WRONGPASS");
  options.password = [] { return "lovelace"; };
  EXPECT_EQ(open_error(options).code(), "");
  options.database = 99;
  EXPECT_THAT(open_error(options).what(), HasSubstr("refused SELECT: ERR DB index is out of range"));
}

TEST_F(RedisConnectionSystemTest, AFullServerSaysSo) {
  support::Redis redis;
  redis.command("CONFIG", "SET", "maxclients", "1");
  for (const bool path : {false, true}) {
    RedisOptions options = tcp(redis);
    if (path) options.unix_path = redis.socket_path();
    const RedisError failure = open_error(options);
    EXPECT_THAT(failure.what(), HasSubstr("max number of clients reached"));
  }
}

TEST_F(RedisConnectionSystemTest, APausedServerTimesOutAndAKilledOneIsLost) {
  support::Redis redis;
  RedisOptions options = tcp(redis);
  options.reply_timeout = options.connect_timeout = event::milliseconds(200);
  RedisConnection connection(loop, options);
  run_task(loop, connection.open());
  redis.pause();
  EXPECT_EQ(error_from([&] { run_task(loop, connection.command({"PING"})); }).code(), "TIMEOUT");
  EXPECT_EQ(open_error(options).code(), "TIMEOUT");
  redis.resume();
  run_task(loop, connection.open());
  bool lost = false;
  connection.on_lost = [&](const std::exception_ptr&) { lost = true; };
  redis.kill();
  run_until(loop, [&] { return lost; });
  const RedisError refused = open_error(options);
  EXPECT_EQ(refused.code(), "CONNECT");
  EXPECT_THAT(refused.what(), HasSubstr("connection refused"));
}

class RedisTlsTest : public RedisConnectionSystemTest {
 protected:
  RedisTlsTest() {
    authority.write(file("ca.crt"));
    stranger.write(file("stranger.crt"));
    authority.issue("server", {"DNS:redis.test", "DNS:localhost", "IP:127.0.0.1"}, file("server"));
    authority.issue("nameless", {"DNS:elsewhere.test"}, file("elsewhere"));
    authority.issue("client", {}, file("client"));
    stranger.issue("stranger", {}, file("stranger-client"));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder.path() + "/" + name; }
  [[nodiscard]] std::vector<std::string> server(const std::string& certificate, const std::string& clients) {
    port = support::free_port();
    return {"--tls-port",         std::to_string(port),
            "--tls-cert-file",    file(certificate + ".crt"),
            "--tls-key-file",     file(certificate + ".key"),
            "--tls-ca-cert-file", file("ca.crt"),
            "--tls-auth-clients", clients};
  }
  [[nodiscard]] RedisOptions tls() const {
    RedisOptions options;
    options.port = port;
    options.tls = true;
    options.tls_ca = file("ca.crt");
    return options;
  }
  support::TemporaryFolder folder{"tls"};
  support::Authority authority{"authority"}, stranger{"stranger"};
  int port = 0;
};

TEST_F(RedisTlsTest, ChecksTheServersCertificateAndName) {
  support::Redis redis({.arguments = server("server", "no")});
  struct Case {
    std::string name;
    std::function<void(RedisOptions&)> change;
    std::string words;  // "": it opens
  };
  const std::vector<Case> cases = {
      {"by address", [](RedisOptions&) {}, ""},
      {"by name", [](RedisOptions& o) { o.host = "localhost"; }, ""},
      {"another name to check", [](RedisOptions& o) { o.tls_server_name = "redis.test"; }, ""},
      {"a wrong name", [](RedisOptions& o) { o.tls_server_name = "wrong.test"; },
       "the server's certificate is not accepted: hostname mismatch"},
      {"a wrong address", [](RedisOptions& o) { o.tls_server_name = "127.0.0.2"; },
       "the server's certificate is not accepted: IP address mismatch"},
      {"another authority", [this](RedisOptions& o) { o.tls_ca = file("stranger.crt"); },
       "the server's certificate is not accepted: "},
      {"no authority", [](RedisOptions& o) { o.tls_ca.clear(); }, "the server's certificate is not accepted: "},
      {"unchecked",
       [](RedisOptions& o) {
         o.tls_ca.clear();
         o.tls_verify = false;
       },
       ""},
      {"a missing file", [this](RedisOptions& o) { o.tls_ca = file("missing.crt"); },
       "cannot use the CA file \"" + file("missing.crt") + "\": No such file"},
      {"a key as an authority", [this](RedisOptions& o) { o.tls_ca = file("server.key"); }, "cannot use the CA file"},
      {"a missing key",
       [this](RedisOptions& o) {
         o.tls_certificate = file("client.crt");
         o.tls_key = file("missing.key");
       },
       "cannot use the client key"},
      {"another's key",
       [this](RedisOptions& o) {
         o.tls_certificate = file("client.crt");
         o.tls_key = file("server.key");
       },
       "client key"},
  };
  for (const Case& one : cases) {
    RedisOptions options = tls();
    one.change(options);
    const RedisError failure = open_error(options);
    if (one.words.empty()) {
      EXPECT_EQ(failure.code(), "") << one.name << ": " << failure.what();
    } else {
      EXPECT_EQ(failure.code(), "TLS") << one.name << ": " << failure.what();
      EXPECT_THAT(failure.what(), HasSubstr(one.words)) << one.name;
      EXPECT_THAT(failure.what(), testing::StartsWith("connect to Redis at ")) << one.name;
    }
  }
  RedisOptions without = tls();
  without.port = redis.port();
  without.connect_timeout = event::milliseconds(200);
  EXPECT_THAT(open_error(without).what(), HasSubstr("does it speak TLS on this port?"));
  RedisOptions plain = tls();
  plain.tls = false;
  EXPECT_NE(open_error(plain).code(), "");
}

TEST_F(RedisTlsTest, ShowsItsCertificateAndReadsTheFilesAnew) {
  support::Redis redis({.arguments = server("server", "yes")});
  RedisOptions options = tls();
  EXPECT_THAT(open_error(options).what(), HasSubstr("certificate required"));
  options.tls_certificate = file("current.crt");
  options.tls_key = file("current.key");
  stranger.issue("stranger", {}, file("current"));
  EXPECT_NE(open_error(options).code(), "");
  authority.issue("client", {}, file("current"));  // rotated: the same names, other content
  RedisConnection connection(loop, options);
  run_task(loop, connection.open());

  // Much in both directions: records that fill more than one read, writes that are taken in parts.
  std::string bytes;
  constexpr std::size_t kCommands = 200;
  const std::string value(100 * 1000, 'x');
  for (std::size_t i = 0; i < kCommands; ++i) {
    bytes += "*2\r\n$4\r\nECHO\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  }
  std::size_t answered = 0;
  bool written = false;
  connection.send({bytes, kCommands, [&] { written = true; }, [&](const redisReply&) { ++answered; }});
  run_until(loop, [&] { return answered == kCommands; });
  EXPECT_TRUE(written);
}

}  // namespace
}  // namespace walrelay::sinks
