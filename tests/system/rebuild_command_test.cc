// `walrelay rebuild` and `status`: beside a walrelay that runs, and alone.
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class RebuildCommandTest : public RebuildFixture {
 protected:
  // A walrelay that is not started: its configuration is what the commands read.
  void prepare(const std::string& mappings, const std::string& more = "") {
    launch(mappings, more);
    walrelay().kill();
    drop_slot();
    redis().flush();
  }
  Finished command(const std::vector<std::string>& arguments) { return walrelay().command(arguments); }
};

TEST_F(RebuildCommandTest, AsksTheOneThatRuns) {
  users(20);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  plant({"user:77"});
  redis().command("DEL", "user:1");
  const auto said = command({"rebuild"});
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_THAT(said.output, HasSubstr("rebuild users: COMPLETED, 20 rows, 1 keys without a row removed"));
  EXPECT_THAT(said.output, HasSubstr("user:77"));
  EXPECT_TRUE(users_in_step());
  EXPECT_THAT(walrelay().log(), HasSubstr("rebuilding in place")) << "it was done there";
  const auto json = command({"rebuild", "--mapping", "users", "--dry-run", "-o", "json"});
  EXPECT_EQ(json.status, 0) << json.errors;
  EXPECT_EQ(JobAnswer({200, json.output}).text("removedKeys"), "0") << json.output;
  EXPECT_EQ(JobAnswer({200, json.output}).text("dryRun"), "true") << json.output;
  const auto status = command({"status", "-o", "json"});
  EXPECT_EQ(status.status, 0);
  EXPECT_EQ(JobAnswer({200, status.output}).text("state"), "streaming") << status.output;
}

TEST_F(RebuildCommandTest, EveryMappingByDefault) {
  users(3);
  sql("CREATE TABLE orders (id int PRIMARY KEY)");
  start(std::string(kUsers) + "  - {name: \"the orders\", table: orders, write: {hash: {key: \"order:{id}\"}}}\n");
  plant({"user:7", "order:7"});
  EXPECT_EQ(command({"rebuild"}).status, 0);
  EXPECT_TRUE(eventually_equal([] { return left_of({"user:7", "order:7"}); }, std::vector<std::string>{}));
  plant({"user:7", "order:7"});
  EXPECT_EQ(command({"rebuild", "--mapping", "the orders"}).status, 0);
  EXPECT_TRUE(eventually_equal([] { return left_of({"user:7", "order:7"}); }, std::vector<std::string>{"user:7"}));
}

TEST_F(RebuildCommandTest, OneSlice) {
  sql("CREATE TABLE m (part int, id int, PRIMARY KEY (part, id)); INSERT INTO m SELECT p, i FROM generate_series(1, 2) "
      "p, "
      "generate_series(1, 3) i");
  start("  - {name: m, table: m, write: {hash: {key: \"m:{part}:{id}\"}}}\n");
  plant({"m:1:9", "m:2:9"});
  EXPECT_EQ(command({"rebuild", "--mapping", "m", "--where", "part=1"}).status, 0);
  EXPECT_TRUE(eventually_equal([] { return left_of({"m:1:9", "m:2:9"}); }, std::vector<std::string>{"m:2:9"}));
  const auto bad = command({"rebuild", "--mapping", "m", "--where", "part=x"});
  EXPECT_EQ(bad.status, 2) << bad.output << bad.errors;
  EXPECT_THAT(bad.output + bad.errors, HasSubstr("\"part\""));
  EXPECT_EQ(command({"rebuild", "--mapping", "m", "--where", "nosuch=1"}).status, 2);
}

TEST_F(RebuildCommandTest, MistakesExitTwo) {
  users(3);
  start(kUsers);
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"rebuild", "--mapping", "nobody"},
                                             {"rebuild", "--where", "part"},
                                             {"rebuild", "--where", "=1"},
                                             {"rebuild", "--fast"},
                                             {"wait"},
                                             {"wait", "--lsn", "here"},
                                             {"wait", "--lsn", "0/1", "--caught-up"},
                                             {"wait", "--caught-up", "--timeout", "soon"}}) {
    const auto said = command(arguments);
    EXPECT_EQ(said.status, 2) << testing::PrintToString(arguments) << said.errors << said.output;
    EXPECT_NE(said.errors, "") << testing::PrintToString(arguments);
  }
}

TEST_F(RebuildCommandTest, AJobThatFailsExitsOne) {
  users(3);
  sql("CREATE ROLE reader_" + name() + " LOGIN REPLICATION; GRANT SELECT ON users TO reader_" + name() +
      "; CREATE PUBLICATION " + name() + " FOR TABLE users");
  connect_as("reader_" + name());
  start(kUsers);
  sql("REVOKE SELECT ON users FROM reader_" + name());
  const auto said = command({"rebuild"});
  EXPECT_EQ(said.status, 1) << said.output << said.errors;
  EXPECT_THAT(said.output + said.errors, HasSubstr("GRANT SELECT"));
  sql("DROP OWNED BY reader_" + name());
}

// PostgreSQL is away, so that nobody knows which mappings there are: that is no success.
TEST_F(RebuildCommandTest, TablesThatAreNotKnownYet) {
  users(3);
  start("");
  postgres().stop("immediate");
  EXPECT_TRUE(eventually([this] { return get("/api/v1/status").text("mappings") == "null"; }));
  const auto said = command({"rebuild"});
  EXPECT_EQ(said.status, 1) << said.output << said.errors;
  EXPECT_NE(said.errors, "");
  postgres().start();
  EXPECT_TRUE(eventually([this] { return command({"rebuild"}).status == 0; }));
}

TEST_F(RebuildCommandTest, NobodyAtTheUrl) {
  users(3);
  prepare(kUsers);
  const auto said = command({"rebuild", "--url", "http://127.0.0.1:" + std::to_string(free_port())});
  EXPECT_EQ(said.status, 1) << said.output;
  EXPECT_THAT(said.errors, HasSubstr("http://127.0.0.1:"));
  EXPECT_EQ(command({"status"}).status, 1);
}

// ---- alone ----

TEST_F(RebuildCommandTest, AloneOnTheFirstDay) {
  users(20);
  prepare(kUsers);
  plant({"user:77"});
  const auto said = command({"rebuild"});
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_THAT(said.output, HasSubstr("rebuild users: COMPLETED"));
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildCommandTest, AloneAfterOneThatRan) {
  users(20);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  ASSERT_EQ(walrelay().terminate(), 0);
  plant({"user:77"});
  redis().command("DEL", "user:1");
  sql("INSERT INTO users VALUES (21, 'meanwhile'); DELETE FROM users WHERE id = 2");
  const auto dry = command({"rebuild", "--dry-run", "-o", "json"});
  EXPECT_EQ(dry.status, 0) << dry.errors;
  EXPECT_EQ(JobAnswer({200, dry.output}).text("removedKeys"), "1") << dry.output;
  EXPECT_EQ(left_of({"user:77"}).size(), 1U);
  const auto said = command({"rebuild"});
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_TRUE(users_in_step(milliseconds(0))) << "at once, when it has ended";
  walrelay().start();
  walrelay().wait_ready();
  sql("INSERT INTO users VALUES (22, 'after')");
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildCommandTest, AloneWithMistakes) {
  users(3);
  prepare(kUsers);
  EXPECT_EQ(command({"rebuild", "--mapping", "users", "--where", "id=x"}).status, 2);
  const auto unknown = command({"rebuild", "--mapping", "nobody"});
  EXPECT_EQ(unknown.status, 2) << unknown.output << unknown.errors;
  EXPECT_THAT(unknown.output + unknown.errors, HasSubstr("\"nobody\""));
}

TEST_F(RebuildCommandTest, AloneWhileAnotherOwnsTheSlot) {
  users(3);
  launch(kUsers, "http: {listen: \"\"}");
  walrelay().wait_log("streaming");
  const auto said = command({"rebuild"});
  EXPECT_EQ(said.status, 1) << said.output;
  EXPECT_THAT(said.errors, HasSubstr("slot \"" + name() + "\" is in use by another walrelay"));
  EXPECT_TRUE(walrelay().running());
  sql("INSERT INTO users VALUES (9, 'streamed')");
  EXPECT_TRUE(users_in_step());
}

}  // namespace
}  // namespace walrelay::support
