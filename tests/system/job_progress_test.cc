// How a job is shown to whoever waits for it: results on stdout, progress on stderr, a bar only on a terminal.
#include "tests/support/terminal_session.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;
using testing::Not;

class JobProgressSystemTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {name: users, table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT i, repeat('x', 100) FROM "
        "generate_series(1, 20000) i; ANALYZE users");
    start(kUsers, "load: {chunk_bytes: 64KiB, connections: 1}");
  }
  std::vector<std::string> rebuild(std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {WALRELAY_BINARY, "rebuild", "-c", walrelay().folder() + "/walrelay.yaml"};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
};

TEST_F(JobProgressSystemTest, ABarOnATerminal) {
  redis().pause();
  TerminalSession terminal({.argv = rebuild(), .rows = 24, .columns = 120});
  EXPECT_TRUE(eventually([&] { return terminal.written().find("rebuild users  ") != std::string::npos; }));
  EXPECT_THAT(terminal.written(), HasSubstr("\r\033[Krebuild users  "));
  EXPECT_THAT(terminal.written(), HasSubstr(" of 20,000 rows"));
  redis().resume();
  EXPECT_EQ(terminal.wait(seconds(60)), 0) << terminal.written();
  EXPECT_THAT(terminal.written(), HasSubstr("rebuild users: COMPLETED, 20000 rows"));
  const auto last_bar = terminal.written().rfind("rebuild users  ");
  EXPECT_THAT(terminal.written().substr(last_bar), HasSubstr("\r\033[Krebuild users: ")) << "the bar has gone";
}

// The result can be read by a program while a person watches.
TEST_F(JobProgressSystemTest, ResultsAndProgressAreKeptApart) {
  const TemporaryFolder folder("apart");
  std::string command;
  for (const auto& word : rebuild({"-o", "json"})) command += "'" + word + "' ";
  redis().pause();
  TerminalSession terminal({.argv = {"sh", "-c", command + "> " + folder.path() + "/out"}, .rows = 24, .columns = 120});
  EXPECT_TRUE(eventually([&] { return terminal.written().find("rebuild users  ") != std::string::npos; }));
  redis().resume();
  EXPECT_EQ(terminal.wait(seconds(60)), 0) << terminal.written();
  EXPECT_EQ(sql("SELECT ($json$" + read_file(folder.path() + "/out") + "$json$::jsonb) ->> 'status'"), "COMPLETED");
}

TEST_F(JobProgressSystemTest, JsonIsJsonOnATerminalToo) {
  redis().pause();
  TerminalSession terminal({.argv = rebuild({"--log-format", "json"}), .rows = 24, .columns = 120});
  EXPECT_TRUE(eventually([&] { return terminal.written().find("\"msg\":\"rebuild\"") != std::string::npos; }));
  EXPECT_THAT(terminal.written(), Not(HasSubstr("\033[K")));
  redis().resume();
  EXPECT_EQ(terminal.wait(seconds(60)), 0) << terminal.written();
}

TEST_F(JobProgressSystemTest, ALineNowAndThenElsewhere) {
  const TemporaryFolder folder("lines");
  redis().pause();
  Process::Options options;
  options.argv = rebuild();
  options.folder = folder.path();
  options.name = "rebuild";
  Process process(options);
  EXPECT_TRUE(eventually([&] { return process.errors().find("\"msg\":\"rebuild\"") != std::string::npos; }));
  EXPECT_THAT(process.errors(), HasSubstr("\"mapping\":\"users\""));
  EXPECT_THAT(process.errors(), HasSubstr("\"estimated_rows\":20000"));
  EXPECT_THAT(process.errors(), Not(HasSubstr("\033")));
  redis().resume();
  EXPECT_EQ(process.wait(seconds(60)), 0) << process.errors();
  EXPECT_THAT(process.output(), HasSubstr("COMPLETED"));
}

}  // namespace
}  // namespace walrelay::support
