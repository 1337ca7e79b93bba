// `walrelay verify`: what differs is found, named by key and never by value, and mended where that was asked for; what
// is only on its way is no difference.
#include <random>

#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;
using testing::Not;

class VerifyTest : public RebuildFixture {
 protected:
  static constexpr const char* kMappings =
      "  - {name: users, table: users, write: {hash: {key: \"user:{id}\"}}}\n"
      "  - {name: docs, table: docs, write: {string: {key: \"doc:{id}\"}}}\n"
      "  - {name: leases, table: leases, write: {hash: {key: \"lease:{id}\", ttl: 1h}}}\n";
  void tables(int rows) {
    const std::string series = " FROM generate_series(1, " + std::to_string(rows) + ") i";
    sql("CREATE TABLE users (id int PRIMARY KEY, name text, note text, big text);"
        "INSERT INTO users SELECT i, 'u' || i, CASE i % 3 WHEN 0 THEN 'n' END, repeat('long ', i % 40)" +
        series);
    sql("CREATE TABLE docs (id int PRIMARY KEY, body jsonb, tags text[]);"
        "INSERT INTO docs SELECT i, jsonb_build_object('n', i), ARRAY['a', i::text]" +
        series);
    sql("CREATE TABLE leases (id int PRIMARY KEY, owner text); INSERT INTO leases SELECT i, 'o' || i" + series);
  }
  JobAnswer verify(const std::string& mapping, const std::string& query = "") {
    const std::string path = "/api/v1/admin/index/" + mapping + "/verify";
    const JobAnswer begun = post(path + query);
    EXPECT_EQ(begun.http(), 202) << begun.body();
    JobAnswer last;
    EXPECT_TRUE(eventually([&] {
      last = get(path + "/status");
      return last.http() == 200 && !last.running();
    })) << last.body();
    EXPECT_EQ(last.text("status"), "COMPLETED") << last.body();
    return last;
  }
  static void spoil() {
    redis().command("DEL", "user:1");
    redis().command("HSET", "user:2", "name", "secret-value", "surplus", "1");
    redis().command("HDEL", "user:3", "note");
    redis().command("EXPIRE", "user:4", "1000");
    redis().command("DEL", "user:5");
    redis().command("SET", "user:5", "x");
    redis().command("HSET", "user:900001", "name", "ghost");
    redis().command("HSET", "user:none", "name", "not ours");
  }
};

TEST_F(VerifyTest, NothingDiffers) {
  tables(3000);
  start(kMappings);
  for (const char* mapping : {"users", "docs", "leases"}) {
    const auto done = verify(mapping);
    EXPECT_EQ(done.text("differing"), "0") << done.body();
    EXPECT_EQ(done.text("processedRecords"), "3000") << done.body();
  }
}

TEST_F(VerifyTest, NamesWhatDiffersAndMendsItWhenAsked) {
  tables(300);
  start(kMappings);
  spoil();
  const std::string expected = R"({"ghost":1,"missing":1,"stale":2,"wrong ttl":1,"wrong type":1})";
  const auto found = verify("users");
  EXPECT_EQ(found.text("found"), expected) << found.body();
  for (const char* words : {R"("key":"user:2","fields":["name","surplus"])", R"("key":"user:3","fields":["note"])",
                            R"("key":"user:900001")"}) {
    EXPECT_THAT(found.text("differences"), HasSubstr(words));
  }
  EXPECT_THAT(found.body(), Not(HasSubstr("secret-value")));
  EXPECT_EQ(redis().command("EXISTS", "user:1"), "0") << "a comparison changes nothing";
  EXPECT_EQ(redis().command("EXISTS", "user:900001"), "1");

  const auto mended = verify("users", "?repair=true");
  EXPECT_EQ(mended.text("found"), expected);
  EXPECT_EQ(mended.text("repaired"), "6");
  EXPECT_EQ(verify("users").text("differing"), "0");
  redis().command("DEL", "user:none");
  EXPECT_TRUE(users_in_step());
  EXPECT_EQ(redis().command("TTL", "user:4"), "-1");
  EXPECT_EQ(walrelay().metric("walrelay_verify_differences_total", "kind=\"stale\""), 4.0);
  EXPECT_EQ(walrelay().metric("walrelay_verify_mended_total"), 6.0);
  EXPECT_THAT(walrelay().log(), Not(HasSubstr("secret-value")));
}

TEST_F(VerifyTest, StringsAndKeysThatExpire) {
  tables(100);
  start(kMappings);
  redis().command("SET", "doc:7", "{}");
  redis().command("DEL", "lease:1");  // may have expired
  redis().command("PERSIST", "lease:2");
  redis().command("PEXPIRE", "lease:3", "9000000");
  redis().command("HSET", "lease:4", "owner", "nobody");
  EXPECT_EQ(verify("docs", "?repair=true").text("found"), R"({"stale":1})");
  EXPECT_TRUE(json_is("doc:7", "SELECT to_jsonb(d) FROM docs d WHERE id = 7"));
  EXPECT_EQ(verify("leases").text("found"), R"({"stale":1,"wrong ttl":2})");
}

// Rows change all the time, in every way that rows can change: that is no difference, and nothing is mended.
TEST_F(VerifyTest, WhatIsOnItsWayIsNoDifference) {
  tables(400);
  start(kMappings, "flush: {interval: 10ms}");
  const std::string work =
      "DO $$ BEGIN FOR n IN 1..600 LOOP"
      "  UPDATE users SET name = 'w' || n WHERE id = (random() * 399)::int + 1;"
      "  DELETE FROM users WHERE id = (random() * 399)::int + 1;"
      "  INSERT INTO users SELECT (random() * 399)::int + 1, 'again', 'n', repeat('x', n) ON CONFLICT DO NOTHING;"
      "  UPDATE users SET id = -id WHERE id = (random() * 399)::int + 1;"
      "  DELETE FROM users WHERE id < 0;"
      "  COMMIT; END LOOP; END $$";
  Beside writer(postgres(), name(), work);
  int rounds = 0;
  while (!writer.done() || rounds < 3) {
    const auto done = verify("users", rounds % 2 == 0 ? "" : "?repair=true");
    ASSERT_EQ(done.text("differing"), "0") << done.body();
    ++rounds;
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_TRUE(users_in_step());
  EXPECT_EQ(walrelay().metric("walrelay_rereads_total"), 0.0) << "nothing had to be mended";
}

TEST_F(VerifyTest, TheCommand) {
  tables(200);
  start(kMappings);
  EXPECT_EQ(walrelay().command({"verify"}).status, 0);
  spoil();
  const auto found = walrelay().command({"verify", "--mapping", "users"});
  EXPECT_EQ(found.status, 3) << found.output;
  EXPECT_THAT(found.output, HasSubstr("6 differences"));
  EXPECT_THAT(found.output, HasSubstr("stale  user:2  fields: name, surplus"));
  EXPECT_THAT(found.output, Not(HasSubstr("should be"))) << "no value unless asked for";
  const auto values = walrelay().command({"verify", "--mapping", "users", "--show-values"});
  EXPECT_THAT(values.output, HasSubstr("    surplus: \"1\", and should be nothing\n"));
  EXPECT_THAT(walrelay().log(), Not(HasSubstr("should be")));
  const auto json = walrelay().command({"verify", "--mapping", "users", "-o", "json", "--sample", "100"});
  EXPECT_EQ(json.status, 3);
  EXPECT_THAT(json.output, HasSubstr("\"differing\": 6"));
  EXPECT_EQ(walrelay().command({"verify", "--where", "id=2", "--mapping", "users"}).status, 3);
  EXPECT_EQ(walrelay().command({"verify", "--where", "id=10", "--mapping", "users"}).status, 0);
  EXPECT_EQ(walrelay().command({"verify", "--where", "id=x", "--mapping", "users"}).status, 2);
  EXPECT_EQ(walrelay().terminate(), 0);
  const auto alone = walrelay().command({"verify", "--mapping", "users", "--repair"});
  EXPECT_EQ(alone.status, 0) << alone.output;
  EXPECT_THAT(alone.output, HasSubstr("6 mended"));
  redis().command("DEL", "user:none");
  EXPECT_TRUE(users_in_step());
}

TEST_F(VerifyTest, ScrubbingMendsByItself) {
  tables(100);
  start(kMappings, "verify: {interval: 1s, rate: 100000, on_difference: repair}");
  spoil();
  redis().command("DEL", "user:none", "doc:3");
  EXPECT_TRUE(users_in_step());
  EXPECT_TRUE(json_is("doc:3", "SELECT to_jsonb(d) FROM docs d WHERE id = 3"));
  EXPECT_TRUE(eventually([&] { return walrelay().metric("walrelay_verify_mended_total").value_or(0) >= 7; }));
}

TEST_F(VerifyTest, ASampleLooksAtAPartOfTheTable) {
  tables(20000);
  start(kMappings);
  const auto done = verify("users", "?sample=1");
  EXPECT_LT(std::stol(done.text("processedRecords")), 20000);
  EXPECT_EQ(post("/api/v1/admin/index/users/verify?sample=0").http(), 400);
  EXPECT_EQ(post("/api/v1/admin/index/users/verify?sample=x").http(), 400);
}

// Killed at any place of a repair it begins anew with the next start, by itself, and everything is mended at last.
TEST_F(VerifyTest, KilledWhileItMends) {
  const std::uint64_t seed = 20261124;
  std::mt19937_64 random(seed);
  tables(300);
  start(kMappings);
  for (int life = 0; life < 6; ++life) {
    spoil();
    redis().command("DEL", "user:none");
    EXPECT_EQ(post("/api/v1/admin/index/users/verify?repair=true").http(), 202) << "seed " << seed;
    // The record must have reached Redis; then the job goes on by itself.
    EXPECT_TRUE(eventually([&] {
      return redis().command("HGET", "walrelay:{" + name() + "}:jobs", "verify users").find("RUNNING") !=
                 std::string::npos ||
             redis().command("EXISTS", "user:1") == "1";
    }));
    if (random() % 2 == 0) {
      EXPECT_TRUE(eventually([&] { return redis().command("EXISTS", "user:1") == "1"; }));
    }
    walrelay().kill();
    walrelay().start();
    walrelay().wait_ready();
    EXPECT_TRUE(users_in_step()) << "seed " << seed << ", life " << life << "\n" << walrelay().log();
    JobAnswer last;
    EXPECT_TRUE(eventually([&] {
      last = get("/api/v1/admin/index/users/verify/status");
      return !last.running();
    })) << last.body();
  }
}

// The stream says what a table's columns are only before a row: an ALTER TABLE that no row follows must not keep a
// comparison, or a sweep, waiting.
TEST_F(VerifyTest, AfterAnAlterTableThatNoRowFollows) {
  users(20);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  sql("UPDATE users SET name = 'x' WHERE id = 1");  // the stream speaks of it
  ASSERT_TRUE(users_in_step());
  sql("ALTER TABLE users ADD more int DEFAULT 5");
  ASSERT_TRUE(users_in_step());
  plant({"user:777"});
  redis().command("HSET", "user:3", "more", "6");
  const auto found = verify("users");
  EXPECT_EQ(found.text("status"), "COMPLETED") << found.body();
  EXPECT_EQ(found.text("differing"), "2") << found.body();
  EXPECT_EQ(rebuild("users").text("removedKeys"), "1");
  EXPECT_EQ(verify("users").text("differing"), "0");
  sql("ALTER TABLE users DROP more; INSERT INTO users VALUES (21, 'y')");
  ASSERT_TRUE(users_in_step());
  EXPECT_EQ(verify("users").text("differing"), "0");
}

}  // namespace
}  // namespace walrelay::support
