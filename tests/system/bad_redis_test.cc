// What can go wrong on Redis' side, and rows that cannot be written: what is said, what is lost (nothing), what goes
// on.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class BadRedisTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'canary-value')");
  }
  testing::AssertionResult users_in_step() { return in_step("users", "'user:' || id", "user:*"); }
  std::vector<RedisReply> dead_letters() {
    return redis().client().call({"XRANGE", "walrelay:{" + name() + "}:dead", "-", "+"}).elements;
  }
  void expect_no_secrets() { EXPECT_EQ(walrelay().log().find("canary"), std::string::npos) << walrelay().log(); }
};

TEST_F(BadRedisTest, WrongTypeHaltsNamingMappingAndKey) {
  redis().command("SET", "user:2", "foreign");
  start("  - {name: people, table: users, write: {hash: {key: \"user:{id}\"}}}\n");
  sql("INSERT INTO users VALUES (2, 'canary-value'), (3, 'canary-value')");
  EXPECT_EQ(walrelay().wait(), 5);
  for (const char* words : {"WRONGTYPE", "people", "users", "user:2"}) {
    EXPECT_NE(walrelay().log().find(words), std::string::npos) << words << " in " << walrelay().log();
  }
  expect_no_secrets();
  EXPECT_EQ(redis().command("GET", "user:2"), "foreign");
  // Mended by hand: nothing was lost.
  redis().command("DEL", "user:2");
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(users_in_step());
}

TEST_F(BadRedisTest, WrongTypeBecomesADeadLetterAndTheOthersStand) {
  redis().command("SET", "user:2", "foreign");
  start(kUsers, "on_row_error: dead_letter");
  sql("INSERT INTO users VALUES (2, 'canary-value'), (3, 'canary-value'); INSERT INTO users VALUES (4, 'x')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "user:4", "name"); }, "x"));
  EXPECT_TRUE(eventually_equal([this] { return dead_letters().size(); }, 1U));
  const std::string letter = dead_letters().front().print();
  for (const char* words : {"user:2", "WRONGTYPE", "users", R"({"id":"2","name":"canary-value"})", "insert"})
    EXPECT_NE(letter.find(words), std::string::npos) << letter;
  EXPECT_EQ(redis().command("GET", "user:2"), "foreign");
  EXPECT_EQ(redis().command("HGET", "user:3", "name"), "canary-value");
  sql("INSERT INTO users VALUES (5, 'y')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "user:5", "name"); }, "y"));
  expect_no_secrets();
}

TEST_F(BadRedisTest, NullInAKeyHaltsNamingTableAndColumn) {
  sql("CREATE TABLE spots (id int, spot text, note text); ALTER TABLE spots REPLICA IDENTITY FULL; INSERT INTO spots "
      "VALUES (1, 'a', 'n')");
  start("  - {table: spots, write: {hash: {key: \"spot:{spot}\"}}}\n");
  sql("INSERT INTO spots VALUES (2, 'b', 'canary-value'); INSERT INTO spots VALUES (3, NULL, 'canary-value')");
  EXPECT_EQ(walrelay().wait(), 1);
  for (const char* words : {"public.spots", "spot", "NULL"}) {
    EXPECT_NE(walrelay().log().find(words), std::string::npos) << words << " in " << walrelay().log();
  }
  expect_no_secrets();
}

TEST_F(BadRedisTest, NullInAKeyBecomesADeadLetter) {
  sql("CREATE TABLE spots (id int, spot text, note text); ALTER TABLE spots REPLICA IDENTITY FULL; INSERT INTO spots "
      "VALUES (1, 'a', 'n'), (2, NULL, 'm')");
  start("  - {table: spots, write: {hash: {key: \"spot:{spot}\"}}}\n", "on_row_error: dead_letter");
  EXPECT_TRUE(eventually_equal([this] { return dead_letters().size(); }, 1U));  // of the load
  sql("INSERT INTO spots VALUES (3, NULL, 'canary-value'), (4, 'd', 'o'); UPDATE spots SET spot = NULL WHERE id = 1; "
      "DELETE FROM spots WHERE id = 2");
  EXPECT_TRUE(eventually_equal([] { return redis().hgetall("spot:d").size(); }, 3U));
  EXPECT_TRUE(eventually([this] { return dead_letters().size() >= 3; }));
  for (const auto& letter : dead_letters())
    EXPECT_NE(letter.print().find("public.spots"), std::string::npos) << letter.print();
  EXPECT_EQ(walrelay().metric("walrelay_dead_letters_total{slot=\"" + name() + "\",reason=\"row\"}"),
            static_cast<double>(dead_letters().size()));
  sql("UPDATE spots SET spot = 'was null' WHERE id = 3");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "spot:was null", "id"); }, "3"));
  expect_no_secrets();
}

TEST_F(BadRedisTest, OutOfMemoryWaitsAndGoesOn) {
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  redis().command("CONFIG", "SET", "maxmemory", std::to_string(std::stol(redis().info("used_memory")) + 300000));
  sql("INSERT INTO users SELECT i, repeat('canary ', 200) FROM generate_series(2, 3000) i");
  walrelay().wait_log("OOM");
  EXPECT_TRUE(eventually([this] { return walrelay().http("/readyz").status == 503; }));
  sql("INSERT INTO users VALUES (5000, 'while there is no memory')");
  EXPECT_TRUE(walrelay().running());
  redis().command("CONFIG", "SET", "maxmemory", "0");
  EXPECT_TRUE(users_in_step());
  EXPECT_LE(count_of(walrelay().log(), "OOM"), 12U) << "the same sentence again and again";
  expect_no_secrets();
}

TEST_F(BadRedisTest, ReadOnlyReplicaWaitsForAWritableOne) {
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  Redis primary;
  redis().command("REPLICAOF", "127.0.0.1", std::to_string(primary.port()));
  sql("INSERT INTO users VALUES (2, 'canary-value')");
  walrelay().wait_log("READONLY");
  redis().command("REPLICAOF", "NO", "ONE");
  EXPECT_TRUE(users_in_step());
  expect_no_secrets();
}

// It answers every thousand commands of its file while it reads them.
TEST_F(BadRedisTest, LoadingIsWaitedFor) {
  Redis slow({.arguments = {"--appendonly", "yes", "--appendfsync", "always", "--key-load-delay", "300"}});
  sql("INSERT INTO users SELECT i, 'x' FROM generate_series(2, 8000) i");
  Walrelay run({.config = source() + "}\ntarget: {url: \"unix://" + slow.socket_path() + "\"}\nmappings:\n" + kUsers});
  run.start();
  run.wait_ready();
  slow.kill();
  slow.start();
  sql("INSERT INTO users VALUES (9000, 'while it was loading')");
  run.wait_log("LOADING");
  const Hashes expected = rows_of("users", "'user:' || id");
  EXPECT_TRUE(eventually([&] { return same(slow.client().hashes("user:*"), expected); }));
  EXPECT_EQ(run.metric("walrelay_gaps_total{slot=\"" + name() + "\",gap=\"redis_empty\"}"), 0) << run.log();
}

TEST_F(BadRedisTest, ForbiddenCommandsAreNamed) {
  redis().command("ACL", "SETUSER", "weak", "on", ">canary-pass", "~user:*", "~walrelay:*", "+@all", "-hset");
  const std::string text = source() +
                           "}\ntarget: {url: \"redis://weak:canary-pass@127.0.0.1:" + std::to_string(redis().port()) +
                           "/0\"}\nmappings:\n" + kUsers;
  Walrelay run({.config = text});
  run.start();
  EXPECT_EQ(run.wait(), 5);
  EXPECT_NE(run.log().find("NOPERM"), std::string::npos) << run.log();
  EXPECT_NE(run.log().find("hset"), std::string::npos) << run.log();
  EXPECT_EQ(run.log().find("canary"), std::string::npos) << run.log();
  redis().command("ACL", "DELUSER", "weak");
}

}  // namespace
}  // namespace walrelay::support
