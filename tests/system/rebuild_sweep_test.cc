// Which keys a rebuild removes: those that a row could have made and none has, and no other.
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class RebuildSweepTest : public RebuildFixture {
 protected:
  using Keys = std::vector<std::string>;
  // Plants both, rebuilds, and finds the rows' keys and the foreign ones.
  void sweeps(const std::string& mapping, const Keys& ghosts, const Keys& foreign) {
    const auto before = keys();
    plant(ghosts);
    plant(foreign);
    const auto done = rebuild(mapping);
    EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
    EXPECT_TRUE(eventually_equal([&] { return left_of(ghosts); }, Keys{}));
    EXPECT_EQ(left_of(foreign), foreign);
    EXPECT_EQ(left_of(before), before);
    EXPECT_EQ(done.text("removedKeys"), std::to_string(ghosts.size())) << done.body();
  }
};

TEST_F(RebuildSweepTest, KeysThatNoRowCouldHaveMadeStay) {
  users(50);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  sweeps("users", {"user:51", "user:0", "user:-7", "user:2147483647"},
         {"user:007", "user:99999999999999", "user:abc", "user:", "user: 1", "user:1 ", "user:+1", "user:1:items",
          "user:1.0", "user:-0", "user:9999999999999999999999", "User:99", "order:99", "99", "xuser:99", "user:\xff",
          "user:1'"});
}

TEST_F(RebuildSweepTest, EveryTypeInAKey) {
  sql(R"(CREATE TYPE "mo od" AS ENUM ('sad', 'happy:ish');
         CREATE SCHEMA other; CREATE TYPE other.colour AS ENUM ('red', 'blue');
         CREATE DOMAIN other.small AS int CHECK (VALUE < 100);
         CREATE TABLE keys_uuid (k uuid PRIMARY KEY); INSERT INTO keys_uuid VALUES ('11111111-1111-1111-1111-111111111111');
         CREATE TABLE keys_time (k timestamptz PRIMARY KEY); INSERT INTO keys_time VALUES ('2026-01-01 00:00:00+00');
         CREATE TABLE keys_numeric (k numeric(10,2) PRIMARY KEY); INSERT INTO keys_numeric VALUES (1.5);
         CREATE TABLE keys_plain (k numeric PRIMARY KEY); INSERT INTO keys_plain VALUES (1.5), (1.00);
         CREATE TABLE keys_varchar (k varchar(3) PRIMARY KEY); INSERT INTO keys_varchar VALUES ('abc'), ('a');
         CREATE TABLE keys_char (k char(4) PRIMARY KEY); INSERT INTO keys_char VALUES ('ab');
         CREATE TABLE keys_enum (k "mo od", c other.colour, PRIMARY KEY (k, c)); INSERT INTO keys_enum VALUES ('sad', 'red');
         CREATE TABLE keys_domain (k other.small PRIMARY KEY); INSERT INTO keys_domain VALUES (5);
         CREATE TABLE keys_bool (k boolean PRIMARY KEY); INSERT INTO keys_bool VALUES (true);
         CREATE TABLE keys_bytes (k bytea PRIMARY KEY); INSERT INTO keys_bytes VALUES ('\x00ff');
         CREATE TABLE keys_float (k float8 PRIMARY KEY); INSERT INTO keys_float VALUES (0.1);
         CREATE TABLE keys_date (k date PRIMARY KEY); INSERT INTO keys_date VALUES ('2026-02-03');
         CREATE TABLE keys_big (k bigint PRIMARY KEY); INSERT INTO keys_big VALUES (9223372036854775807);
         CREATE TABLE keys_array (k int[] PRIMARY KEY); INSERT INTO keys_array VALUES ('{1,2}');)");
  std::string mappings;
  for (const char* type : {"uuid", "time", "numeric", "plain", "varchar", "char", "domain", "bool", "bytes", "float",
                           "date", "big", "array"}) {
    const std::string name = type;
    mappings += "  - {name: " + name + ", table: keys_" + name + ", write: {hash: {key: \"" + name + ":{k}\"}}}\n";
  }
  mappings += "  - {name: enum, table: keys_enum, write: {hash: {key: \"enum:{k}:{c}\"}}}\n";
  start(mappings);
  struct Case {
    const char* mapping;
    Keys ghosts, foreign;
  };
  for (const Case& each : std::vector<Case>{
           {"uuid",
            {"uuid:11111111-1111-1111-1111-111111111112"},
            {"uuid:11111111-1111-1111-1111-11111111111A", "uuid:1", "uuid:11111111111111111111111111111111"}},
           {"time",
            {"time:2026-01-01 00:00:01+00", "time:2026-01-01 00:00:00.5+00"},
            {"time:2026-01-01", "time:2026-13-01 00:00:00+00", "time:2026-01-01 02:00:00+02", "time:infinity "}},
           {"numeric", {"numeric:2.50", "numeric:-1.00"}, {"numeric:2.5", "numeric:2", "numeric:123456789.00"}},
           {"plain", {"plain:1.50", "plain:1", "plain:1.000", "plain:NaN"}, {"plain:01", "plain:1e5", "plain:.5"}},
           {"varchar", {"varchar:xyz", "varchar:"}, {"varchar:abcd", "varchar:wxyz"}},
           {"char", {"char:xy  "}, {"char:xy", "char:abcde"}},
           {"domain", {"domain:6"}, {"domain:100", "domain:x"}},
           {"bool", {"bool:f"}, {"bool:true", "bool:x"}},
           {"bytes", {"bytes:\\x00fe", "bytes:\\x"}, {"bytes:00ff", "bytes:\\x0", "bytes:\\xFF"}},
           {"float", {"float:0.2", "float:1e+20", "float:Infinity"}, {"float:0.10", "float:100000000000000000000"}},
           {"date", {"date:2026-02-04"}, {"date:2026-02-30", "date:2026-2-4"}},
           {"big", {"big:-9223372036854775808"}, {"big:9223372036854775808"}},
           {"array", {"array:{1}", "array:{}"}, {"array:{1, 3}", "array:x"}},
           {"enum", {"enum:happy:ish:red", "enum:sad:blue"}, {"enum:sad:green", "enum:glad:red", "enum:happy:red"}}}) {
    SCOPED_TRACE(each.mapping);
    sweeps(each.mapping, each.ghosts, each.foreign);
  }
}

// Without |enc a key can be read in several ways: it is a row's if any of them is.
TEST_F(RebuildSweepTest, ColonsInTwoTexts) {
  sql("CREATE TABLE pairs (a text, b text, PRIMARY KEY (a, b)); INSERT INTO pairs VALUES ('x', 'y:z'), ('p:q', 'r'), "
      "('', ''), ('it''s', '\\'), ('é', '%'), ('a:b:c', 'd:e')");
  start("  - {name: pairs, table: pairs, write: {hash: {key: \"pair:{a}:{b}\"}}}\n");
  sweeps("pairs", {"pair:x:y", "pair:p:q:s", "pair:::", "pair:it's:\\\\", "pair:é:", "pair:a:b:c:d"},
         {"pair:", "pair:x", "pair:\xff:x", "pairs:x:y"});
}

// With too many ways nothing is concluded, and the job says so.
TEST_F(RebuildSweepTest, KeysOfTooManyReadingsStayAndAreCounted) {
  sql("CREATE TABLE pairs (a text, b text, PRIMARY KEY (a, b)); INSERT INTO pairs VALUES ('x', 'y')");
  start("  - {name: pairs, table: pairs, write: {hash: {key: \"pair:{a}:{b}\"}}}\n");
  const std::string many = "pair" + std::string(40, ':');
  plant({many, "pair:x:z"});
  const auto done = rebuild("pairs");
  EXPECT_EQ(done.text("removedKeys"), "1") << done.body();
  EXPECT_EQ(done.text("undecidedKeys"), "1") << done.body();
  EXPECT_EQ(left_of({many}), Keys{many});
}

TEST_F(RebuildSweepTest, EncodedTexts) {
  sql("CREATE TABLE pairs (a text, b text, PRIMARY KEY (a, b)); INSERT INTO pairs VALUES ('x:y', 'z'), ('50%', '{}')");
  start("  - {name: pairs, table: pairs, write: {hash: {key: \"pair:{a|enc}:{b|enc}\"}}}\n");
  sweeps("pairs", {"pair:x:z", "pair:x%3Ay:w", "pair:%25:"},
         {"pair:x:y:z", "pair:x%3ay:w", "pair:%41:b", "pair:x", "pair:%:b", "pair:{}:b", "pair:%00:b"});
}

TEST_F(RebuildSweepTest, KeysOfOtherRelaysStay) {
  sql("CREATE TABLE pairs (a text, b text, PRIMARY KEY (a, b)); INSERT INTO pairs VALUES ('x', 'y')");
  start("  - {name: pairs, table: pairs, write: {hash: {key: \"{a}:{b}\"}}}\n");
  ASSERT_TRUE(eventually_equal([] { return redis().command("EXISTS", "x:y"); }, "1"));
  const Keys own = {"walrelay:{other}:checkpoint", "walrelay:{other}:jobs", "walrelay:{" + name() + "}:foreign"};
  sweeps("pairs", {"x:z", "walrelay:other"}, own);
  EXPECT_EQ(redis().command("EXISTS", "walrelay:{" + name() + "}:checkpoint"), "1");
}

// The key does not say from which table it is: it goes only when none of them has such a row.
TEST_F(RebuildSweepTest, TablesThatShareTheirKeys) {
  sql("CREATE TABLE part_1 (id int PRIMARY KEY); CREATE TABLE part_2 (id int PRIMARY KEY); CREATE TABLE single (id int "
      "PRIMARY KEY); INSERT INTO part_1 VALUES (1), (2); INSERT INTO part_2 VALUES (2), (3); INSERT INTO single VALUES "
      "(4)");
  start(
      "  - {name: parts, tables: '^public\\.part_(?<n>[0-9]+)$', write: {hash: {key: \"row:{id}\"}}}\n"
      "  - {name: single, table: single, write: {string: {key: \"row:{id}\"}}}\n");
  ASSERT_TRUE(eventually_equal([] { return keys(); }, Keys{"row:1", "row:2", "row:3", "row:4"}));
  plant({"row:5"});
  const auto part = rebuild("parts", "?table=part_1");
  EXPECT_EQ(part.text("removedKeys"), "1") << part.body();
  EXPECT_TRUE(eventually_equal([] { return keys(); }, Keys{"row:1", "row:2", "row:3", "row:4"}));
  sweeps("parts", {"row:6"}, {"row:x"});
  sweeps("single", {"row:7"}, {});
}

TEST_F(RebuildSweepTest, SeveralWritesOfOneTable) {
  users(5);
  start(
      "  - {name: users, table: users, write: [{hash: {key: \"user:{id}\"}}, {string: {key: \"json:{id}\"}}, {hash: "
      "{key: \"by:{id}:id\"}}]}\n"
      "  - {name: again, table: users, write: {hash: {key: \"again:{id}\"}}}\n");
  plant({"again:9"});
  sweeps("users", {"user:9", "json:9", "by:9:id"}, {"by:9:", "json:x"});
  EXPECT_EQ(left_of({"again:9"}), Keys{"again:9"}) << "another mapping's";
  const auto done = rebuild("again");
  EXPECT_EQ(done.text("removedKeys"), "1") << done.body();
}

TEST_F(RebuildSweepTest, DryRunRemovesNothingAndNamesTheGhosts) {
  users(5);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  const Keys ghosts = {"user:11", "user:12"};
  plant(ghosts);
  redis().command("HSET", "user:1", "name", "wrong");
  const auto done = rebuild("users", "?dry_run=true");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("removedKeys"), "2") << done.body();
  EXPECT_THAT(done.text("examples"), HasSubstr("\"user:11\""));
  EXPECT_THAT(done.text("examples"), HasSubstr("\"user:12\""));
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(left_of(ghosts), ghosts);
  EXPECT_EQ(redis().command("HGET", "user:1", "name"), "wrong") << "nor is anything written";
}

// Pages of SCAN, lists of questions, and one text among them that is no value of the type.
TEST_F(RebuildSweepTest, ManyGhostsAmongManyKeys) {
  users(3000);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  redis().command("EVAL",
                  "for i = 1, 7000 do redis.call('HSET', 'user:' .. (10000 + i), 'a', 'b') end "
                  "for i = 1, 20 do redis.call('SET', 'user:' .. (3000000000 + i), 'b') end "
                  "for i = 1, 5000 do redis.call('SET', 'foreign:' .. i, 'b') end",
                  "0");
  const auto done = rebuild("users", "", seconds(60));
  EXPECT_EQ(done.text("removedKeys"), "7000") << done.body();
  EXPECT_TRUE(eventually_equal([] { return redis().command("DBSIZE"); },
                               std::to_string(3000 + 20 + 5000 + static_cast<int>(redis().keys("walrelay:*").size()))));
}

}  // namespace
}  // namespace walrelay::support
