// What a user can get wrong on PostgreSQL's side: one sentence that names the object and says what to do, the
// documented exit code, for `run` and for `check`, and nothing is lost. Redis' side is in bad_redis_test.cc.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class BadInputTest : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'canary-value')");
  }
  // What both commands say of one configuration.
  Finished say(const std::string& command, const std::string& text) {
    Walrelay once({.config = text, .arguments = {command}});
    once.start();
    Finished said;
    said.status = once.wait(seconds(30));
    said.output = once.output();
    said.errors = once.log();
    return said;
  }
  // Both commands end with `code` and say all of `words`; what is in PostgreSQL stays as it was.
  void expect_refusal(const std::string& text, int code, const std::vector<std::string>& words) {
    for (const char* command : {"check", "run"}) {
      const auto said = say(command, text);
      EXPECT_EQ(said.status, code) << command << ": " << said.output << said.errors;
      for (const auto& word : words) {
        EXPECT_NE((said.output + said.errors).find(word), std::string::npos)
            << command << " does not say " << word << ": " << said.output << said.errors;
      }
      EXPECT_EQ((said.output + said.errors).find("canary"), std::string::npos) << said.output << said.errors;
      EXPECT_LE(count_of(said.errors, "\"level\":\"error\""), 1U) << said.errors;
    }
  }
  // `run` goes on trying and says why; `check` ends with `code`.
  void expect_retries(const std::string& text, int code, const std::vector<std::string>& words) {
    const auto checked = say("check", text);
    EXPECT_EQ(checked.status, code) << checked.output << checked.errors;
    Walrelay run({.config = text, .arguments = {"run"}});
    run.start();
    for (const auto& word : words) {
      EXPECT_NE(checked.output.find(word), std::string::npos) << word << " in " << checked.output;
      EXPECT_NO_THROW(run.wait_log(word, seconds(20)));
    }
    EXPECT_NO_THROW(run.wait_log("retry_in_ms", seconds(20)));
    EXPECT_TRUE(run.running());
    EXPECT_EQ((checked.output + run.log()).find("canary"), std::string::npos) << checked.output << run.log();
    EXPECT_EQ(run.terminate(), 0);
  }
  std::string with_source(const std::string& url) {
    return "source: {url: \"" + url + "\", slot: " + name() + "}\ntarget: {url: \"unix://" + redis().socket_path() +
           "\"}\nmappings:\n" + kUsers;
  }
  std::string role(const std::string& options) {
    sql("CREATE ROLE r_" + name() + " LOGIN " + options);
    connect_as("r_" + name());
    return "r_" + name();
  }
};

TEST_F(BadInputTest, ServersThatAreNotThere) {
  const std::string nobody = std::to_string(free_port());
  expect_retries(with_source("postgres://u:canary@127.0.0.1:" + nobody + "/d"), 4, {"127.0.0.1:" + nobody});
  expect_retries(with_source("postgres://u:canary@no-such-host.invalid/d"), 4, {"no-such-host.invalid"});
  expect_retries("source: {url: \"" + postgres().conninfo(name()) +
                     "\"}\ntarget: {url: \"redis://:canary@127.0.0.1:" + nobody + "/0\"}\n",
                 5, {"127.0.0.1:" + nobody});
  expect_retries("source: {url: \"" + postgres().conninfo(name()) + "\"}\ntarget: {url: \"unix:///no/such.sock\"}\n", 5,
                 {"/no/such.sock"});
}

TEST_F(BadInputTest, WrongPasswordIsTriedAgainSlowly) {
  sql("DROP ROLE IF EXISTS locked; CREATE ROLE locked SUPERUSER LOGIN PASSWORD 'right canary'");
  postgres().set_hba({"host all locked 127.0.0.1/32 scram-sha-256"});
  expect_retries(
      with_source("postgres://locked:wrong%20canary@127.0.0.1:" + std::to_string(postgres().port()) + "/" + name()), 4,
      {"password authentication failed", "locked"});
  redis().command("CONFIG", "SET", "requirepass", "right canary");
  expect_retries("source: {url: \"" + postgres().conninfo(name()) +
                     "\"}\ntarget: {url: \"redis://:wrong%20canary@127.0.0.1:" + std::to_string(redis().port()) +
                     "/0\"}\n",
                 5, {"WRONGPASS"});
  redis().command("CONFIG", "SET", "requirepass", "");
}

TEST_F(BadInputTest, DatabaseThatDoesNotExist) {
  std::string url = postgres().conninfo("nowhere");
  const auto said = say("check", with_source(url));
  EXPECT_EQ(said.status, 4);
  EXPECT_NE(said.output.find("\"nowhere\" does not exist"), std::string::npos) << said.output;
  const auto run = say("run", with_source(url));
  EXPECT_EQ(run.status, 4);
  EXPECT_NE(run.errors.find("nowhere"), std::string::npos) << run.errors;
}

TEST_F(BadInputTest, WalLevelIsNotLogical) {
  Postgres other({.settings = {{"wal_level", "replica"}}});
  other.sql("CREATE TABLE users (id int PRIMARY KEY, name text)");
  expect_refusal(with_source(other.conninfo()), 4, {"wal_level", "replica", "logical", "restart"});
  EXPECT_EQ(other.sql("SELECT count(*) FROM pg_publication"), "0");
}

TEST_F(BadInputTest, NoSlotAndNoSenderIsLeft) {
  Postgres other({.settings = {{"max_replication_slots", "1"}}});
  other.sql(
      "CREATE TABLE users (id int PRIMARY KEY, name text); SELECT pg_create_logical_replication_slot('taken', "
      "'pgoutput')");
  const auto checked = say("check", with_source(other.conninfo()));
  EXPECT_EQ(checked.status, 4);
  EXPECT_NE(checked.output.find("max_replication_slots"), std::string::npos) << checked.output;
  Walrelay run({.config = with_source(other.conninfo())});
  run.start();
  run.wait_log("max_replication_slots");
  other.sql("SELECT pg_drop_replication_slot('taken')");
  run.wait_ready();
  EXPECT_EQ(run.terminate(), 0);
}

TEST_F(BadInputTest, RoleThatMayNotReplicate) {
  const std::string role = this->role("");
  sql("GRANT SELECT ON users TO " + role + "; CREATE PUBLICATION " + name() + " FOR TABLE users");
  expect_refusal(config(kUsers), 4, {role, "REPLICATION"});
}

TEST_F(BadInputTest, RoleThatMayNotSelect) {
  const std::string role = this->role("REPLICATION");
  sql("CREATE PUBLICATION " + name() + " FOR TABLE users");
  expect_refusal(config(kUsers), 4, {"users", "GRANT SELECT"});
}

TEST_F(BadInputTest, RoleThatMayNotAlterThePublication) {
  const std::string role = this->role("REPLICATION");
  sql("GRANT SELECT ON users TO " + role);
  expect_refusal(config(kUsers), 4, {"CREATE PUBLICATION", "users"});
  sql("CREATE PUBLICATION " + name());
  expect_refusal(config(kUsers), 4, {"ALTER PUBLICATION", "users"});
  expect_refusal(config(kUsers, "", ", manage_publication: false"), 4, {"ALTER PUBLICATION", "users"});
  sql("ALTER PUBLICATION " + name() + " ADD TABLE ONLY users");
  start(kUsers, "", ", manage_publication: false");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

TEST_F(BadInputTest, MappingsThatDoNotFitTheTables) {
  sql("CREATE TABLE pairs (a int, b int, v text, PRIMARY KEY (a, b)); CREATE TABLE heap (v text); CREATE VIEW seen AS "
      "SELECT * FROM users");
  struct Row {
    std::string mapping;
    std::vector<std::string> words;
  };
  for (const Row& row : std::vector<Row>{
           {"table: usrs, write: {hash: {key: \"u:{id}\"}}", {"public.usrs", "does not exist"}},
           {"table: seen, write: {hash: {key: \"u:{id}\"}}", {"public.seen"}},
           {"table: users, write: {hash: {key: \"u:{idd}\"}}", {"idd", "users", "id"}},
           {"table: users, write: {string: {key: \"u:{id}\", column: nam}}", {"nam", "users", "name"}},
           {"table: users, write: {hash: {key: \"u:{id}\", columns: {include: [nam]}}}", {"nam", "users"}},
           {"table: users, write: {hash: {key: \"u:{name}\"}}", {"users", "id"}},
           {"table: users, write: {hash: {key: \"u:{id}:{name}\"}}", {"users", "name", "REPLICA IDENTITY"}},
           {"table: pairs, write: {hash: {key: \"p:{a}\"}}", {"pairs", "column b", "{b}"}},
           {"table: users, write: {hash: {key: \"constant\"}}", {"users", "id"}},
           {"table: heap, write: {hash: {key: \"h:{v}\"}}", {"heap", "PRIMARY KEY", "REPLICA IDENTITY FULL"}},
           {"table: users, write: [{hash: {key: \"u:{id}\"}}, {string: {key: \"u:{id}\"}}]", {"users", "u:{id}"}}}) {
    SCOPED_TRACE(row.mapping);
    expect_refusal(config("  - {" + row.mapping + "}\n"), 78, row.words);
    EXPECT_EQ(sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + name() + "'"), "0");
  }
}

TEST_F(BadInputTest, SlotThatIsNotOurs) {
  sql("SELECT pg_create_logical_replication_slot('" + name() + "', 'test_decoding')");
  const auto run = say("run", config(kUsers));
  EXPECT_EQ(run.status, 4);
  EXPECT_NE(run.errors.find("test_decoding"), std::string::npos) << run.errors;
  EXPECT_EQ(sql("SELECT plugin FROM pg_replication_slots WHERE slot_name = '" + name() + "'"), "test_decoding");
}

TEST_F(BadInputTest, SlotOfAnotherDatabaseOrMissing) {
  postgres().sql("SELECT pg_create_logical_replication_slot('" + name() + "', 'pgoutput')");
  const auto run = say("run", config(kUsers));
  EXPECT_EQ(run.status, 4);
  EXPECT_NE(run.errors.find("belongs to database"), std::string::npos) << run.errors;
  postgres().sql("SELECT pg_drop_replication_slot('" + name() + "')");
  expect_refusal(config(kUsers, "", ", create_slot: false"), 4, {name(), "pg_create_logical_replication_slot"});
}

}  // namespace
}  // namespace walrelay::support
