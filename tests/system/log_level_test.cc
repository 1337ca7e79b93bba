// How much is logged changes while the program runs: by signal, over HTTP, by `walrelay log-level`; and `walrelay
// reload`, which puts back what the configuration says.
#include <signal.h>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class LogLevelTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {name: users, table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY)");
    start(kUsers);
  }
  std::string level() {
    const std::string said = walrelay().command({"log-level"}).output;  // "info at http://127.0.0.1:4711"
    return said.substr(0, said.find(' '));
  }
};

TEST_F(LogLevelTest, BySignalOneStepAtATime) {
  EXPECT_EQ(level(), "info");
  for (const char* louder : {"debug", "trace", "trace"}) {
    walrelay().process().signal(SIGUSR1);
    EXPECT_TRUE(eventually_equal([this] { return level(); }, louder));
  }
  for (const char* quieter : {"debug", "info", "warn", "error", "error"}) {
    walrelay().process().signal(SIGUSR2);
    EXPECT_TRUE(eventually_equal([this] { return level(); }, quieter));
  }
  const std::string log = walrelay().log();
  EXPECT_EQ(count_of(log, "the log level changes"), 6U) << "each change once, and what changes nothing is silent";
  EXPECT_EQ(walrelay().terminate(), 0);
  EXPECT_EQ(walrelay().log(), log) << "nothing of info is logged any more";
}

TEST_F(LogLevelTest, ByHttp) {
  const std::string path = "/api/v1/admin/log-level";
  EXPECT_EQ(walrelay().ask("PUT", path + "?level=debug").status, 200);
  EXPECT_EQ(level(), "debug");
  EXPECT_EQ(walrelay().ask("POST", path + "?level=warn").status, 200);
  EXPECT_THAT(walrelay().ask("GET", path).body, HasSubstr("\"warn\""));
  for (const char* wrong : {"?level=loud", "?level=", "", "?level=INFO"}) {
    const auto refused = walrelay().ask("PUT", path + wrong);
    EXPECT_EQ(refused.status, 400) << wrong;
    EXPECT_THAT(refused.body, HasSubstr("trace, debug, info, warn, error, off")) << wrong;
  }
  EXPECT_EQ(walrelay().ask("DELETE", path).status, 405);
  EXPECT_EQ(level(), "warn");
}

TEST_F(LogLevelTest, NeedsTheSameRightAsOtherOrders) {
  const std::string path = "/api/v1/admin/log-level";
  walrelay().terminate();
  launch(kUsers, "http: {listen: \"127.0.0.1:" + std::to_string(walrelay().port()) + "\", token: secret}");
  const auto port = [this] { return walrelay().command({"config", "show"}).output; }();
  const auto at = port.find("127.0.0.1:") + 10;
  const int http = std::stoi(port.substr(at));
  ASSERT_TRUE(eventually([&] { return http_ask(http, "GET", "/livez").status == 200; }));
  EXPECT_EQ(http_ask(http, "PUT", path + "?level=debug", "wrong").status, 401);
  EXPECT_EQ(http_ask(http, "PUT", path + "?level=debug", "secret").status, 200);
  EXPECT_EQ(level(), "debug") << "the command line reads the token of its configuration";
}

TEST_F(LogLevelTest, ByTheCommandLineUntilTheConfigurationIsReadAgain) {
  const auto changed = walrelay().command({"log-level", "debug"});
  EXPECT_EQ(changed.status, 0) << changed.errors;
  EXPECT_EQ(changed.output, "debug at http://127.0.0.1:" + std::to_string(walrelay().port()) + "\n");
  walrelay().wait_log("\"level\":\"debug\"");
  EXPECT_EQ(walrelay().command({"log-level", "loud"}).status, 2);
  const auto again = walrelay().command({"reload"});
  EXPECT_EQ(again.status, 0) << again.errors;
  EXPECT_EQ(again.output, "changed: nothing\n");
  EXPECT_EQ(level(), "info");
  walrelay().configure(
      config(std::string(kUsers) + "  - {name: more, table: users, write: {set: {key: all, member: \"{id}\"}}}\n"));
  const auto mappings = walrelay().command({"reload"});
  EXPECT_EQ(mappings.status, 0) << mappings.errors;
  EXPECT_THAT(mappings.output, HasSubstr("mappings added: more\n"));
  walrelay().configure(config(kUsers, "flush: {interval: \"5 parsecs\"}"));
  const auto refused = walrelay().command({"reload", "--url", "http://127.0.0.1:" + std::to_string(walrelay().port())});
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.errors, HasSubstr("5 parsecs"));
}

}  // namespace
}  // namespace walrelay::support
