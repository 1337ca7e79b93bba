// The command line: what it prints where, and with which exit code it ends.
#include <signal.h>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

Finished walrelay_says(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& env = {}) {
  const TemporaryFolder folder("command");
  std::vector<std::string> argv = {WALRELAY_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(folder.path(), argv, "", env);
}

TEST(CommandLineOnlyTest, UsageErrorsSayWhatAndExitTwo) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"fly"},
                                             {"run", "--fast"},
                                             {"run", "extra"},
                                             {"config"},
                                             {"config", "burn"},
                                             {"check", "-o", "xml"},
                                             {"run", "--config"},
                                             {"run", "--set", "no equals sign"}}) {
    const auto said = walrelay_says(arguments);
    EXPECT_EQ(said.status, 2) << testing::PrintToString(arguments);
    EXPECT_FALSE(said.errors.empty()) << testing::PrintToString(arguments);
    EXPECT_EQ(said.output, "") << testing::PrintToString(arguments);
  }
}

TEST(CommandLineOnlyTest, HelpAndVersion) {
  const auto help = walrelay_says({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"run", "check", "config", "version"})
    EXPECT_NE(help.output.find(command), std::string::npos);
  EXPECT_EQ(walrelay_says({"run", "--help"}).status, 0);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"version"}, {"--version"}}) {
    const auto version = walrelay_says(arguments);
    EXPECT_EQ(version.status, 0);
    EXPECT_NE(version.output.find("walrelay"), std::string::npos) << version.output;
    EXPECT_NE(version.output.find("\nrevision "), std::string::npos) << version.output;
  }
}

TEST(CommandLineOnlyTest, SchemaIsTheShippedOneAndTheExampleIsValid) {
  const auto schema = walrelay_says({"config", "schema"});
  EXPECT_EQ(schema.status, 0);
  EXPECT_EQ(schema.output, read_file(SOURCE_DIRECTORY "/config/walrelay.schema.json"));
  const auto example = walrelay_says({"config", "example"});
  EXPECT_EQ(example.status, 0);
  EXPECT_EQ(example.output, read_file(SOURCE_DIRECTORY "/config/walrelay.example.yaml"));
  const TemporaryFolder folder("example");
  write_file(folder.path() + "/w.yaml", example.output);
  const auto shown = walrelay_says({"config", "show", "-c", folder.path() + "/w.yaml"});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  EXPECT_NE(shown.output.find("order:{region}:{id}"), std::string::npos) << shown.output;
}

TEST(CommandLineOnlyTest, ShowHidesSecretsAndSaysWhereValuesComeFrom) {
  const TemporaryFolder folder("show");
  write_file(
      folder.path() + "/w.yaml",
      "source: {url: \"postgres://u:canary1@h/d\"}\ntarget: {url: \"redis://:canary2@h\"}\nflush: {interval: 7ms}\n");
  const auto shown =
      walrelay_says({"config", "show", "--origin", "-c", folder.path() + "/w.yaml", "--set", "flush.batch_size=3"},
                    {{"WALRELAY_ACK_HOLD", "9s"}});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  EXPECT_EQ(shown.output.find("canary"), std::string::npos) << shown.output;
  for (const char* words : {"7ms", "w.yaml:3", "9s", "WALRELAY_ACK_HOLD", "# flag", "***"}) {
    EXPECT_NE(shown.output.find(words), std::string::npos) << words << " in " << shown.output;
  }
}

TEST(CommandLineOnlyTest, ConfigurationMistakesExitSeventyEight) {
  struct Row {
    std::string text;
    std::vector<std::string> says;
  };
  const std::string source = "source: {url: \"postgres://u:canary@h/d\"}\n";
  for (const Row& row : std::vector<Row>{
           {"source: {url: [\n", {"w.yaml:1:15", "]"}},
           {source + "flush: {interval: 5 parsecs}\n", {"w.yaml:2:", "flush.interval", "5 parsecs"}},
           {source + "flush: {intervall: 5ms}\n", {"w.yaml:2:9", "intervall", "did you mean", "interval"}},
           {source + "flush: {interval: 1s, interval: 2s}\n", {"w.yaml:2:23", "interval", "already"}},
           {source + "mappings: [{table: t, write: {hsah: {key: \"a:{id}\"}}}]\n", {"w.yaml:2:31", "hsah", "hash"}},
           {source + "mappings: [{table: t, write: {hash: {kee: \"a:{id}\"}}}]\n", {"w.yaml:2:", "kee", "key"}},
           {source + "mappings: [{table: t, write: {hash: {key: \"a:{id\"}}}]\n", {"w.yaml:2:", "{"}},
           {source + "mappings: [{tables: '(', write: {hash: {key: \"a:{id}\"}}}]\n",
            {"w.yaml:2:", "regular expression"}},
           {source + "mappings: [{table: t}]\n", {"w.yaml:2:", "write"}},
           {source + "target: {password: \"${NO_SUCH_VARIABLE:?is needed}\"}\n", {"w.yaml:2:", "NO_SUCH_VARIABLE"}},
           {source + "a: 1\nb: 2\nlog: {level: loud}\n", {"w.yaml:2:1", "w.yaml:3:1", "w.yaml:4:14", "loud"}}}) {
    const TemporaryFolder folder("mistakes");
    write_file(folder.path() + "/w.yaml", row.text);
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"run"}, {"check"}, {"config", "show"}}) {
      auto arguments = command;
      arguments.insert(arguments.end(), {"-c", folder.path() + "/w.yaml"});
      const auto said = walrelay_says(arguments);
      EXPECT_EQ(said.status, 78) << row.text;
      EXPECT_EQ(said.errors.find("canary"), std::string::npos) << said.errors;
      for (const auto& words : row.says)
        EXPECT_NE(said.errors.find(words), std::string::npos) << words << " in " << said.errors;
    }
  }
  const auto missing = walrelay_says({"run", "-c", "/no/such/file.yaml"});
  EXPECT_EQ(missing.status, 78);
  EXPECT_NE(missing.errors.find("/no/such/file.yaml"), std::string::npos) << missing.errors;
}

class CommandLineTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a')");
  }
  Finished say(std::vector<std::string> arguments, const std::string& text,
               const std::map<std::string, std::string>& env = {}) {
    const TemporaryFolder folder("say");
    write_file(folder.path() + "/w.yaml", text);
    arguments.insert(arguments.end(), {"-c", folder.path() + "/w.yaml"});
    return walrelay_says(arguments, env);
  }
};

TEST_F(CommandLineTest, CheckFindsEverythingGoodAndTouchesNothing) {
  const auto text = say({"check"}, config(kUsers));
  EXPECT_EQ(text.status, 0) << text.output << text.errors;
  const std::string info = redis().command("INFO", "server"), found = info.substr(info.find("redis_version:") + 14);
  const std::string release = found.substr(0, found.find('.', found.find('.') + 1));  // 7.0 of 7.0.15
  for (const std::string& words : {std::string("wal_level is logical"), std::string("table public.users"),
                                   std::string("will be created"), "Redis: connected, version " + release}) {
    EXPECT_NE(text.output.find(words), std::string::npos) << words << " in " << text.output;
  }
  const auto json = say({"check", "-o", "json"}, config(kUsers));
  EXPECT_EQ(json.status, 0);
  EXPECT_EQ(sql("SELECT ($json$" + json.output + "$json$::jsonb) ->> 'exit_code'"), "0");
  EXPECT_EQ(sql("SELECT count(*) > 4 FROM jsonb_array_elements($json$" + json.output +
                "$json$::jsonb -> 'findings') f "
                "WHERE f ?& ARRAY['kind', 'subject', 'sentence', 'sql']"),
            "t");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_publication"), "0");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_replication_slots"), "0");
  EXPECT_TRUE(redis().keys().empty());
}

TEST_F(CommandLineTest, CheckPrintsTheSqlThatMends) {
  sql("CREATE TABLE nokey (v text); CREATE ROLE weak_" + name() + " LOGIN");
  connect_as("weak_" + name());
  const auto both = config(std::string(kUsers) + "  - {table: nokey, write: {hash: {key: \"n:{v}\"}}}\n");
  const auto found = say({"check"}, both);
  EXPECT_EQ(found.status, 4) << found.output;
  const auto emitted = say({"check", "--emit-sql"}, both);
  EXPECT_EQ(emitted.status, 4);
  for (const char* words : {"ALTER ROLE", "REPLICATION", "GRANT SELECT ON \"public\".\"users\"",
                            "REPLICA IDENTITY FULL", "CREATE PUBLICATION"}) {
    EXPECT_NE(emitted.output.find(words), std::string::npos) << words << " in " << emitted.output;
  }
  // As an administrator reads it: every statement runs, and then the check has nothing to say.
  std::string statements = emitted.output;
  for (auto at = statements.find("CURRENT_USER"); at != std::string::npos; at = statements.find("CURRENT_USER", at)) {
    statements.replace(at, 12, "weak_" + name());
  }
  std::istringstream lines(statements);
  std::string runnable;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("ALTER SYSTEM") == std::string::npos) runnable += line + "\n";
  }
  EXPECT_NO_THROW(sql(runnable)) << runnable;
  const auto mended = say({"check"}, both);
  EXPECT_EQ(mended.status, 0) << mended.output;
}

// To Linux 0.0.0.0 is this machine, but it is no address of the loopback interface: check takes it for another one.
TEST_F(CommandLineTest, CheckWarnsOfPlainTextToAnotherMachine) {
  const std::string target = "}\ntarget: {url: \"unix://" + redis().socket_path() + "\"}\nmappings:\n" + kUsers;
  const std::string words = "in plain text, and nobody checks who answers there; set source.sslmode to verify-full";
  const std::string away = "source: {host: 0.0.0.0, user: postgres, port: " + std::to_string(postgres().port()) +
                           ", dbname: " + name() + ", slot: " + name() + ", publication: " + name();
  for (const char* mode : {"", ", sslmode: disable", ", sslmode: prefer", ", sslmode: allow"}) {
    const auto checked = say({"check"}, away + mode + target);
    EXPECT_EQ(checked.status, 0) << "no more than a warning: " << checked.output;
    EXPECT_NE(checked.output.find(words), std::string::npos) << mode << ": " << checked.output;
  }
  EXPECT_EQ(say({"check"}, away + ", sslmode: verify-full" + target).output.find(words), std::string::npos);
  EXPECT_EQ(say({"check"}, config(kUsers)).output.find(words), std::string::npos) << "a unix socket";
}

TEST_F(CommandLineTest, DryRunPrintsCommandsAndTouchesNothing) {
  sql("CREATE PUBLICATION " + name() + " FOR TABLE users");
  const auto slots = [this] { return sql("SELECT count(*) FROM pg_replication_slots WHERE NOT temporary"); };
  Walrelay dry({.config = config(kUsers), .arguments = {"run", "--dry-run"}});
  dry.start();
  EXPECT_TRUE(eventually([&] { return dry.output().find("user:1") != std::string::npos; })) << dry.log();
  sql("INSERT INTO users VALUES (2, 'b'); UPDATE users SET id = 3 WHERE id = 2; DELETE FROM users WHERE id = 1; "
      "TRUNCATE users");
  EXPECT_TRUE(eventually([&] {
    return dry.output().find("user:3") != std::string::npos && dry.output().find("user:2") != std::string::npos;
  })) << dry.log();
  EXPECT_NE(dry.output().find("HSET"), std::string::npos);
  EXPECT_EQ(slots(), "0");
  EXPECT_EQ(dry.terminate(), 0);
  EXPECT_TRUE(redis().keys().empty());
  EXPECT_TRUE(eventually_equal([this] { return sql("SELECT count(*) FROM pg_replication_slots"); }, "0"));
}

TEST_F(CommandLineTest, DryRunBesideTheRealOneMovesNoSlot) {
  start(kUsers);
  ASSERT_TRUE(in_step("users", "'user:' || id", "user:*"));
  EXPECT_EQ(walrelay().terminate(), 0);
  const std::string before =
      sql("SELECT confirmed_flush_lsn, restart_lsn FROM pg_replication_slots WHERE slot_name = '" + name() + "'");
  const auto checkpoint = redis().hgetall("walrelay:{" + name() + "}:checkpoint");
  sql("INSERT INTO users VALUES (2, 'b')");
  Walrelay dry({.config = config(kUsers), .arguments = {"run", "--dry-run"}});
  dry.start();
  EXPECT_TRUE(eventually([&] { return dry.output().find("user:2") != std::string::npos; })) << dry.log();
  EXPECT_EQ(dry.terminate(), 0);
  EXPECT_EQ(sql("SELECT confirmed_flush_lsn, restart_lsn FROM pg_replication_slots WHERE slot_name = '" + name() + "'"),
            before);
  EXPECT_EQ(redis().hgetall("walrelay:{" + name() + "}:checkpoint"), checkpoint);
  EXPECT_EQ(redis().command("EXISTS", "user:2"), "0");
}

// A variable that holds no JSON stops nobody, but everybody says so.
TEST_F(CommandLineTest, WhatIsPassedOverIsSaid) {
  const std::string classes = "ttl_classes: {env: TTLS, unit: ms, defaults: {users: 300000}}\n";
  const std::string warning = "the environment variable TTLS is no JSON object of numbers and was passed over";
  const std::map<std::string, std::string> wrong = {{"TTLS", "{users: 5000}"}}, right = {{"TTLS", "{\"users\": 5000}"}};
  launch(kUsers, classes, "", wrong);
  walrelay().wait_ready();
  EXPECT_NE(walrelay().log().find(warning), std::string::npos) << walrelay().log();
  const auto check = say({"check"}, config(kUsers, classes), wrong);
  EXPECT_NE(check.output.find(warning), std::string::npos) << check.output;
  Walrelay dry({.config = config(kUsers, classes), .arguments = {"run", "--dry-run"}, .env = wrong});
  dry.start();
  dry.wait_log(warning);
  EXPECT_EQ(walrelay().terminate(), 0);
  walrelay().set_environment(right);
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_EQ(walrelay().log().find(warning), std::string::npos) << walrelay().log();
}

TEST_F(CommandLineTest, TerminationDrainsAndASecondOneEndsAtOnce) {
  start(kUsers, "flush: {interval: 2s}");
  sql("INSERT INTO users SELECT i, 'x' FROM generate_series(2, 500) i; INSERT INTO users VALUES (501, 'the last one "
      "waits')");
  EXPECT_TRUE(eventually([] { return redis().keys("user:*").size() >= 500; }));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(walrelay().terminate(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(5));
  EXPECT_TRUE(same(redis().client().hashes("user:*"), rows_of("users", "'user:' || id"))) << walrelay().log();
  // Redis does not answer: the first signal waits for it, the second does not.
  walrelay().start();
  walrelay().wait_ready();
  redis().pause();
  sql("INSERT INTO users VALUES (1000, 'y')");
  walrelay().process().signal(SIGTERM);
  walrelay().wait_log("stopping");
  walrelay().process().signal(SIGTERM);
  EXPECT_EQ(walrelay().wait(seconds(2)), 128 + SIGTERM);
  redis().resume();
}

}  // namespace
}  // namespace walrelay::support
