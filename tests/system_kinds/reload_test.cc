// The configuration is read again while walrelay runs: what is new is filled, what is wrong changes nothing, what is
// gone stays or goes as on_removed says.
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

constexpr const char* kReload = "/api/v1/admin/reload";

class ReloadTest : public RebuildFixture {
 protected:
  static constexpr const char* kPeople = "  - {name: people, table: users, write: {hash: {key: \"person:{id}\"}}}\n";
  static constexpr const char* kNames =
      "  - {name: names, table: users, write: {set: {key: names, member: \"n{id}\"}}}\n";

  JobAnswer reload(const std::string& mappings, const std::string& more = "") {
    walrelay().configure(config(mappings, more));
    return post(kReload);
  }
  bool is_noted(const std::string& mapping) {
    return redis().command("HEXISTS", "walrelay:{" + name() + "}:mappings", mapping) == "1";
  }
  testing::AssertionResult people_in_step() { return in_step("users", "'person:' || id", "person:*"); }
  testing::AssertionResult keys_become(const std::vector<std::string>& expected) {
    return eventually_equal([] { return keys(); }, expected);
  }
  double sessions() { return walrelay().metric("walrelay_sessions_total").value_or(0); }
};

TEST_F(ReloadTest, ANewMappingIsFilled) {
  users(50);
  start(kUsers);
  const JobAnswer answer = reload(std::string(kUsers) + kPeople + kNames);
  ASSERT_EQ(answer.http(), 200) << answer.body();
  EXPECT_NE(answer.body().find("\"added\""), std::string::npos) << answer.body();
  EXPECT_TRUE(people_in_step());
  EXPECT_TRUE(eventually_equal([] { return redis().command("SCARD", "names"); }, std::string("50")));
  EXPECT_TRUE(users_in_step());
  sql("INSERT INTO users VALUES (51, 'new'); DELETE FROM users WHERE id = 1");
  EXPECT_TRUE(people_in_step());
  EXPECT_TRUE(users_in_step());
  EXPECT_EQ(finished("people").text("status"), "COMPLETED");
  EXPECT_EQ(walrelay().metric("walrelay_config_reloads_total", "result=\"success\""), 1.0);
  EXPECT_EQ(walrelay().metric("walrelay_config_last_reload_successful"), 1.0);
}

TEST_F(ReloadTest, ASignalDoesTheSameWithATableThatWasNotPublishedBefore) {
  users(5);
  sql("CREATE TABLE things (id int PRIMARY KEY); INSERT INTO things VALUES (1), (2)");
  start(kUsers);
  walrelay().configure(
      config(std::string(kUsers) + "  - {name: things, table: things, write: {hash: {key: \"thing:{id}\"}}}\n"));
  walrelay().process().signal(SIGHUP);
  EXPECT_TRUE(in_step("things", "'thing:' || id", "thing:*"));
  sql("INSERT INTO things VALUES (3)");
  EXPECT_TRUE(in_step("things", "'thing:' || id", "thing:*"));
  EXPECT_TRUE(users_in_step());
}

TEST_F(ReloadTest, WhatIsWrongChangesNothing) {
  users(3);
  start(kUsers);
  struct Case {
    std::string mappings, more, words;
  };
  const std::vector<Case> cases = {
      {kUsers, "flsh: {interval: 5ms}", "unknown key"},
      {"  - {name: users, table: users, write: {hash: {key: \"user:{nobody}\"}}}\n", "", "nobody"},
      {"  - {name: users, table: nowhere, write: {hash: {key: \"user:{id}\"}}}\n", "", "does not exist"},
      {"  - {name: users, table: users, enabled: false, write: {hash: {key: \"user:{id}\"}}}\n", "", "switched off"},
  };
  for (const Case& one : cases) {
    const JobAnswer answer = reload(one.mappings, one.more);
    EXPECT_EQ(answer.http(), 400);
    EXPECT_NE(answer.body().find(one.words), std::string::npos) << answer.body();
  }
  walrelay().configure(source() + ", status_interval: 3s}\ntarget: {url: \"unix://" + redis().socket_path() +
                       "\"}\nmappings:\n" + kUsers);
  const JobAnswer fixed = post(kReload);
  EXPECT_EQ(fixed.http(), 400);
  EXPECT_NE(fixed.body().find("source.status_interval"), std::string::npos) << fixed.body();
  EXPECT_NE(fixed.body().find("restart"), std::string::npos) << fixed.body();
  walrelay().configure("no: [yaml\n");
  walrelay().process().signal(SIGHUP);
  EXPECT_TRUE(
      eventually_equal([this] { return walrelay().metric("walrelay_config_reloads_total", "failure").value_or(0); },
                       static_cast<double>(cases.size() + 2)));
  EXPECT_EQ(walrelay().metric("walrelay_config_last_reload_successful"), 0.0);
  sql("INSERT INTO users VALUES (4, 'new')");
  EXPECT_TRUE(users_in_step());
  EXPECT_EQ(sessions(), 1.0);
}

TEST_F(ReloadTest, TheLogAndTheTokenNeedNoNewSession) {
  users(3);
  start(kUsers);
  walrelay().configure(config(kUsers, "log: {level: debug}\nhttp: {listen: \"127.0.0.1:" +
                                          std::to_string(walrelay().port()) + "\", token: secret}"));
  EXPECT_EQ(post(kReload).http(), 200);
  EXPECT_EQ(post(kReload, "wrong").http(), 401);
  EXPECT_EQ(get(kReload).http(), 405);
  EXPECT_EQ(sessions(), 1.0);
  const JobAnswer more = reload(kUsers, "flush: {interval: 20ms}");
  EXPECT_EQ(more.http(), 200) << more.body();
  EXPECT_TRUE(eventually([this] { return sessions() == 2.0; }));
  sql("INSERT INTO users VALUES (4, 'new')");
  EXPECT_TRUE(users_in_step());
}

TEST_F(ReloadTest, KeysOfARemovedMappingStayUnlessTheyAreToBeSwept) {
  users(3);
  const std::vector<std::string> of_users = {"user:1", "user:2", "user:3"};
  const std::string all = std::string(kUsers) + kPeople + kNames;
  start(all);
  ASSERT_EQ(reload(std::string(kUsers) + kNames).http(), 200);
  EXPECT_TRUE(eventually([this] { return !is_noted("people"); }));
  sql("INSERT INTO users VALUES (4, 'd'); DELETE FROM users WHERE id = 4");
  EXPECT_TRUE(caught_up());
  EXPECT_THAT(left_of({"person:1", "person:4"}), testing::ElementsAre("person:1"));

  ASSERT_EQ(reload(all, "on_removed: sweep").http(), 200);
  EXPECT_TRUE(eventually([this] { return is_noted("people"); })) << "what was never in force leaves nothing behind";
  EXPECT_TRUE(people_in_step());
  redis().command("SADD", "names", "of another");
  redis().command("SET", "other:x", "of another");
  ASSERT_EQ(reload(kUsers, "on_removed: sweep").http(), 200);
  EXPECT_TRUE(keys_become({"names", "other:x", "user:1", "user:2", "user:3"}));
  EXPECT_EQ(redis().command("SCARD", "names"), "1") << "the member of another stays";
  EXPECT_TRUE(users_in_step());
}

TEST_F(ReloadTest, AMappingWithOtherKeysLeavesItsOldOnes) {
  users(3);
  const std::string before =
      "  - {name: m, table: users, write: [{hash: {key: \"a:{id}\"}}, {string: {key: \"b:{id}\", column: name}}]}\n";
  const std::string after =
      "  - {name: m, table: users, write: [{hash: {key: \"b:{id}\"}}, {set: {key: names, member: \"n{id}\"}}]}\n";
  start(before);
  ASSERT_EQ(reload(after, "on_removed: sweep").http(), 200);
  EXPECT_TRUE(keys_become({"b:1", "b:2", "b:3", "names"}));
  EXPECT_TRUE(in_step("users", "'b:' || id", "b:*"));
}

TEST_F(ReloadTest, AFileThatChangedWhileWalrelayWasAwayIsNoticed) {
  users(3);
  start(kUsers);
  EXPECT_EQ(walrelay().terminate(), 0);
  walrelay().configure(config(kPeople));
  walrelay().start();
  EXPECT_TRUE(people_in_step());
  EXPECT_NE(walrelay().log().find("its keys stay"), std::string::npos);
  EXPECT_EQ(walrelay().terminate(), 0);
  sql("DELETE FROM users WHERE id = 1; INSERT INTO users VALUES (4, 'd')");
  walrelay().configure(config(std::string(kUsers) + kPeople));
  walrelay().start();
  EXPECT_TRUE(users_in_step()) << "what stood there from before is swept";
  EXPECT_TRUE(people_in_step());
}

TEST_F(ReloadTest, AKillInBetweenLosesNothing) {
  users(60000);
  start(kUsers);
  EXPECT_TRUE(users_in_step());
  ASSERT_EQ(reload(std::string(kUsers) + kPeople).http(), 200);
  EXPECT_TRUE(eventually([this] { return is_noted("people"); }));
  walrelay().kill();
  const bool complete = redis().keys("person:*").size() == 60000;
  std::cout << "killed " << (complete ? "after" : "before") << " the end\n";
  sql("DELETE FROM users WHERE id <= 10; UPDATE users SET name = 'x' WHERE id > 59990");
  walrelay().start();
  EXPECT_TRUE(people_in_step());
  EXPECT_TRUE(users_in_step());
}

TEST_F(ReloadTest, WhatCannotBeSeenBeforehandPutsTheOldOneBackInForce) {
  users(3);
  const std::string role = "plain_" + name();
  sql("CREATE ROLE " + role + " LOGIN REPLICATION; ALTER TABLE users OWNER TO " + role + "; GRANT CREATE ON DATABASE " +
      name() + " TO " + role + "; CREATE TABLE others (id int PRIMARY KEY); GRANT SELECT ON others TO " + role);
  connect_as(role);
  start(kUsers);
  const std::string both =
      std::string(kUsers) + "  - {name: others, table: others, write: {hash: {key: \"o:{id}\"}}}\n";
  ASSERT_EQ(reload(both).http(), 200);
  EXPECT_TRUE(eventually([this] { return walrelay().metric("walrelay_config_last_reload_successful") == 0.0; }));
  EXPECT_NE(walrelay().log().find("the old one stays in force"), std::string::npos);
  sql("INSERT INTO users VALUES (4, 'new')");
  EXPECT_TRUE(users_in_step());
}

}  // namespace
}  // namespace walrelay::support
