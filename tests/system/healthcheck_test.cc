// `walrelay healthcheck`, as a container engine runs it: beside the real program, with little or no configuration.

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HealthcheckTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY)");
  }
  static Finished ask(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& env = {}) {
    const TemporaryFolder folder("healthcheck");
    std::vector<std::string> argv = {WALRELAY_BINARY, "healthcheck"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_program(folder.path(), argv, "", env);
  }
  std::string address() { return "127.0.0.1:" + std::to_string(walrelay().port()); }
};

TEST_F(HealthcheckTest, AsksWhereTheConfigurationOrTheEnvironmentOrTheFlagSays) {
  start(kUsers);
  for (const std::string& ready : {"", "--ready"}) {
    const std::vector<std::string> more = ready.empty() ? std::vector<std::string>() : std::vector<std::string>{ready};
    auto arguments = more;
    arguments.insert(arguments.begin(), "healthcheck");
    EXPECT_EQ(walrelay().command(arguments).status, 0);
    EXPECT_EQ(ask(more, {{"WALRELAY_HTTP_LISTEN", address()}}).status, 0);
    EXPECT_EQ(ask(more, {{"WALRELAY_HTTP_LISTEN", address()}, {"WALRELAY_CONFIG", "/no/such/file"}}).status, 0);
    arguments = more;
    arguments.insert(arguments.end(), {"--url", "http://" + address()});
    const auto said = ask(arguments, {{"WALRELAY_CONFIG", "/no/such/file"}});
    EXPECT_EQ(said.status, 0) << said.errors;
    EXPECT_NE(said.output, "");
    EXPECT_EQ(said.errors, "");
  }
}

// A server that is away is no reason to start this process anew: only --ready tells of it.
TEST_F(HealthcheckTest, AliveIsNotReady) {
  start(kUsers);
  redis().pause();
  sql("INSERT INTO users VALUES (1)");
  EXPECT_EQ(walrelay().command({"healthcheck"}).status, 0);
  redis().resume();
  launch_as({.config = "source: {url: \"host=/nowhere dbname=x\"}\ntarget: {url: \"unix:///nowhere\"}\n"});
  walrelay().wait_log("retry_in_ms");
  EXPECT_EQ(walrelay().command({"healthcheck"}).status, 0);
  const auto said = walrelay().command({"healthcheck", "--ready"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, HasSubstr("/readyz says 503: "));
  EXPECT_EQ(said.output, "");
}

TEST_F(HealthcheckTest, NobodyAnswers) {
  const std::string nowhere = "127.0.0.1:" + std::to_string(free_port());
  const auto said = ask({}, {{"WALRELAY_HTTP_LISTEN", nowhere}});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, StartsWith("walrelay: no server answers at http://" + nowhere));
  EXPECT_EQ(ask({}, {{"WALRELAY_HTTP_LISTEN", "nonsense"}}).status, 1);
  EXPECT_EQ(ask({"--timeout", "soon", "--url", "http://" + nowhere}).status, 2);
}

// One that is stopped still takes connections, by the system's own hand.
TEST_F(HealthcheckTest, NoAnswerInTime) {
  start(kUsers);
  walrelay().pause();
  const auto began = std::chrono::steady_clock::now();
  const auto said = walrelay().command({"healthcheck", "--timeout", "300ms"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, HasSubstr("did not answer in time"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(3));
  walrelay().resume();
  EXPECT_EQ(walrelay().command({"healthcheck"}).status, 0);
}

}  // namespace
}  // namespace walrelay::support
