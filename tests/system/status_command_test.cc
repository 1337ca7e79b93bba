// `walrelay status` beside the real program: its forms, and the live view on a real terminal.
#include <signal.h>

#include "tests/support/terminal_session.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class StatusCommandTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {name: people, table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 5)");
  }
  TerminalSession::Options watching(std::vector<std::string> more = {}, std::map<std::string, std::string> env = {}) {
    TerminalSession::Options options;
    options.argv = {WALRELAY_BINARY,
                    "status",
                    "--watch",
                    "--interval",
                    "100ms",
                    "--url",
                    "http://127.0.0.1:" + std::to_string(walrelay().port())};
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    env.emplace("LC_ALL", "C.UTF-8");
    options.env = std::move(env);
    return options;
  }
  static testing::AssertionResult shows(TerminalSession& terminal, const std::string& text) {
    return eventually([&] {
      return terminal.written().find(text) != std::string::npos ? testing::AssertionSuccess()
                                                                : testing::AssertionFailure()
                                                                      << "not on the terminal: " << text << "\n"
                                                                      << terminal.written();
    });
  }
};

TEST_F(StatusCommandTest, IsATableForPeople) {
  start(kUsers);
  ASSERT_TRUE(in_step("users", "'user:' || id", "user:*"));
  sql("INSERT INTO users VALUES (6)");
  ASSERT_TRUE(caught_up());
  // The slot is looked at now and then, and the first time soon after the start.
  ASSERT_TRUE(
      eventually([this] { return walrelay().command({"status"}).output.find(", active, ") != std::string::npos; }));
  const auto said = walrelay().command({"status"});
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_THAT(said.output,
              AllOf(StartsWith("Live, "), HasSubstr("\n  PostgreSQL  connected, "),
                    HasSubstr("\n  Redis       connected, "), HasSubstr("\n  Slot        " + name() + ", active, "),
                    HasSubstr("\n  MAPPING  TABLES  INSERTS  UPDATES  DELETES  JOB\n"),
                    HasSubstr("\n  people        1        1        0        0")));
  EXPECT_THAT(said.output, Not(HasSubstr("\033"))) << "no terminal, no colours";
  EXPECT_EQ(said.errors, "");
}

TEST_F(StatusCommandTest, JsonAndYamlAreWhatTheServerSays) {
  start(kUsers);
  const auto json = walrelay().command({"status", "-o", "json"});
  EXPECT_EQ(json.status, 0) << json.errors;
  EXPECT_EQ(sql("SELECT ($json$" + json.output + "$json$::jsonb) ->> 'slot'"), name());
  const auto yaml = walrelay().command({"status", "-o", "yaml"});
  EXPECT_EQ(yaml.status, 0) << yaml.errors;
  EXPECT_THAT(yaml.output, AllOf(HasSubstr("\nslot: " + name() + "\n"), HasSubstr("\nmappings:\n  - people\n"),
                                 HasSubstr("\nlastError: null\n")));
}

TEST_F(StatusCommandTest, NeedsNoConfigurationWhereAnAddressIsKnown) {
  start(kUsers);
  const std::string address = "127.0.0.1:" + std::to_string(walrelay().port());
  const TemporaryFolder folder("status");
  const auto ask = [&](std::vector<std::string> arguments, const std::map<std::string, std::string>& env) {
    arguments.insert(arguments.begin(), {WALRELAY_BINARY, "status"});
    return run_program(folder.path(), arguments, "", env);
  };
  EXPECT_EQ(ask({"--url", "http://" + address}, {}).status, 0);
  EXPECT_EQ(ask({}, {{"WALRELAY_HTTP_LISTEN", address}}).status, 0);
  EXPECT_EQ(ask({"--url", "http://" + address, "-c", "/no/such/file"}, {}).status, 0);
  EXPECT_EQ(ask({"-c", "/no/such/file"}, {{"WALRELAY_HTTP_LISTEN", address}}).status, 78);
  const auto nobody = ask({"--url", "http://127.0.0.1:" + std::to_string(free_port())}, {});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_THAT(nobody.errors, HasSubstr("no server answers"));
  EXPECT_EQ(ask({"-o", "xml", "--url", "http://" + address}, {}).status, 2);
  EXPECT_EQ(ask({"--watch", "--interval", "often", "--url", "http://" + address}, {}).status, 2);
}

TEST_F(StatusCommandTest, WatchRedrawsInPlaceAndFollowsTheSize) {
  start(kUsers);
  TerminalSession terminal(watching());
  EXPECT_TRUE(shows(terminal, "PostgreSQL"));
  EXPECT_THAT(terminal.written(), StartsWith("\033[?1049h\033[?25l"));
  EXPECT_THAT(terminal.written(), HasSubstr("\033[1;32mLive")) << "green on a terminal";
  EXPECT_FALSE(terminal.echoes());
  terminal.forget();
  sql("INSERT INTO users SELECT generate_series(11, 1244)");
  EXPECT_TRUE(shows(terminal, "1,234"));
  EXPECT_THAT(terminal.written(), Not(HasSubstr("\033[2J"))) << "a cleared screen flickers";
  EXPECT_THAT(terminal.written(), HasSubstr("\033[H"));

  terminal.resize(4, 20);
  terminal.forget();
  EXPECT_TRUE(shows(terminal, "\r\n...\033[K\033[J")) << "what does not fit is cut";
  // A whole frame of that size: four lines of at most 20 columns.
  terminal.forget();
  EXPECT_TRUE(eventually([&] { return count_of(terminal.written(), "\033[H") >= 3; }));
  const auto from = terminal.written().find("\033[H") + 3;
  const std::string frame = terminal.written().substr(from, terminal.written().find("\033[J", from) - from);
  EXPECT_EQ(count_of(frame, "\r\n"), 3U) << frame;
  EXPECT_THAT(frame, Not(HasSubstr("PostgreSQL  connected, ")));

  terminal.type("q");
  EXPECT_EQ(terminal.wait(seconds(10)), 0);
  EXPECT_THAT(terminal.written(), HasSubstr("\033[?25h\033[?1049l"));
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(StatusCommandTest, HoweverItEndsTheTerminalIsAsBefore) {
  start(kUsers);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, 0}) {
    TerminalSession terminal(watching());
    EXPECT_TRUE(shows(terminal, "PostgreSQL"));
    number == 0 ? terminal.type("\x03") : terminal.signal(number);
    EXPECT_EQ(terminal.wait(seconds(10)), 128 + (number == 0 ? SIGINT : number));
    EXPECT_THAT(terminal.written(), HasSubstr("\033[?25h\033[?1049l"));
    EXPECT_TRUE(terminal.echoes());
  }
}

TEST_F(StatusCommandTest, WatchOutlivesTheOneThatIsWatched) {
  start(kUsers);
  TerminalSession terminal(watching());
  EXPECT_TRUE(shows(terminal, "Live"));
  EXPECT_EQ(walrelay().terminate(), 0);
  EXPECT_TRUE(shows(terminal, "No answer: no server answers at"));
  terminal.forget();
  walrelay().start();
  EXPECT_TRUE(shows(terminal, "Live"));
}

TEST_F(StatusCommandTest, NoColourWhereNoneIsWanted) {
  start(kUsers);
  TerminalSession plain(watching({}, {{"NO_COLOR", "1"}}));
  EXPECT_TRUE(shows(plain, "PostgreSQL"));
  EXPECT_THAT(plain.written(), Not(HasSubstr("\033[1")));
  TerminalSession dumb(watching({}, {{"TERM", "dumb"}}));
  EXPECT_TRUE(shows(dumb, "Live"));
  EXPECT_THAT(dumb.written(), Not(HasSubstr("\033")));
}

TEST_F(StatusCommandTest, WithoutATerminalLinesFollowOneAnother) {
  start(kUsers);
  const TemporaryFolder folder("watch");
  auto lines = [&](const std::string& output, std::size_t count) {
    Process::Options options;
    options.argv = watching({"-o", output}).argv;
    options.folder = folder.path();
    options.name = output;
    Process process(options);
    EXPECT_TRUE(eventually([&] { return count_of(process.output(), "\n") >= count; }));
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(seconds(10)), 128 + SIGTERM);
    EXPECT_EQ(process.errors(), "");
    return process.output();
  };
  const std::string text = lines("text", 3);
  EXPECT_THAT(text.substr(0, text.find('\n')), MatchesRegex("[-0-9]+T[:.0-9]+Z  Live.*")) << text;
  const std::string json = lines("json", 3);
  EXPECT_EQ(sql("SELECT ($json$" + json.substr(0, json.find('\n')) + "$json$::jsonb) ->> 'state'"), "streaming");
  EXPECT_THAT(lines("yaml", 3), StartsWith("---\n"));
}

// Whoever reads has gone: there is nothing left to do.
TEST_F(StatusCommandTest, WatchEndsWithItsReader) {
  start(kUsers);
  const TemporaryFolder folder("pipe");
  std::string command;
  for (const auto& word : watching().argv) command += "'" + word + "' ";
  const auto said = run_program(folder.path(), {"sh", "-c", command + "| head -n 1"}, "", {}, seconds(20));
  EXPECT_EQ(count_of(said.output, "\n"), 1U) << said.output;
}

}  // namespace
}  // namespace walrelay::support
