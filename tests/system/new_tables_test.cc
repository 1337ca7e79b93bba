// Tables that appear while walrelay runs, by pattern or without any mapping.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

constexpr milliseconds kSeen = seconds(2);  // what is promised
// The promise is for a machine with nothing else to do; tests run beside each other, in a build with sanitizers.
constexpr milliseconds kSeenInATest = 2 * kSeen;

class NewTablesTest : public EndToEnd {
 protected:
  static constexpr const char* kQueues =
      "  - {tables: '^public\\.items_(?<queue>[0-9A-Za-z]+)_(?<partition>[0-9]+)$', write: {hash: {key: "
      "\"q:{queue}:{partition}:{id}\"}}}\n";
  void queue(const std::string& table) { sql("CREATE TABLE " + table + " (id int PRIMARY KEY, v text)"); }
};

TEST_F(NewTablesTest, PatternsTakeTablesThatExistAndThatAreCreated) {
  queue("items_a_1");
  sql("INSERT INTO items_a_1 VALUES (1, 'old'); CREATE TABLE items_x (id int PRIMARY KEY); INSERT INTO items_x VALUES "
      "(1)");
  start(kQueues);
  EXPECT_TRUE(in_step("items_a_1", "'q:a:1:' || id", "q:a:1:*"));
  sql("CREATE TABLE items_b_2 (id int PRIMARY KEY, v text); INSERT INTO items_b_2 SELECT i, 'v' FROM "
      "generate_series(1, 500) i");
  EXPECT_TRUE(in_step("items_b_2", "'q:b:2:' || id", "q:b:2:*", kSeenInATest));
  sql("UPDATE items_b_2 SET v = 'w' WHERE id < 50; DELETE FROM items_b_2 WHERE id > 400; INSERT INTO items_a_1 VALUES "
      "(2, 'new')");
  EXPECT_TRUE(in_step("items_b_2", "'q:b:2:' || id", "q:b:2:*"));
  EXPECT_TRUE(in_step("items_a_1", "'q:a:1:' || id", "q:a:1:*"));
  EXPECT_EQ(redis().keys("*items_x*").size(), 0U);
  sql("TRUNCATE items_b_2");
  EXPECT_TRUE(in_step("items_b_2", "'q:b:2:' || id", "q:b:2:*"));
  EXPECT_TRUE(in_step("items_a_1", "'q:a:1:' || id", "q:a:1:*"));
}

// Its rows are neither streamed (they were written before the table was published) nor visible while it is open.
TEST_F(NewTablesTest, RowsOfATransactionThatWasOpenBeforeTheTableWasPublished) {
  queue("items_a_1");
  start(kQueues);
  queue("items_c_1");
  PsqlSession open(postgres(), name());
  open.sql("BEGIN; INSERT INTO items_c_1 VALUES (1, 'open')");
  EXPECT_TRUE(eventually(
      [this] { return sql("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'items_c_1'") == "1"; }));
  open.sql("INSERT INTO items_c_1 VALUES (2, 'still open')");
  sql("INSERT INTO items_c_1 VALUES (3, 'beside')");
  EXPECT_TRUE(eventually_equal([] { return redis().hgetall("q:c:1:3").size(); }, 2U));
  open.sql("COMMIT");
  EXPECT_TRUE(in_step("items_c_1", "'q:c:1:' || id", "q:c:1:*"));
}

TEST_F(NewTablesTest, ManyTablesAtOnceAndOneThatIsDroppedAtOnce) {
  start(kQueues);
  sql(R"(DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE items_m_%s (id int PRIMARY KEY, v text); INSERT INTO items_m_%s VALUES (1, %L)', i, i, i);
         END LOOP; END $$)");
  sql("CREATE TABLE items_gone_1 (id int PRIMARY KEY); INSERT INTO items_gone_1 VALUES (1); DROP TABLE items_gone_1");
  for (int i = 1; i <= 40; ++i) {
    const std::string key = "q:m:" + std::to_string(i) + ":1";
    EXPECT_TRUE(eventually_equal([&] { return redis().command("HGET", key, "v"); }, std::to_string(i)));
  }
}

TEST_F(NewTablesTest, TableRenamedIntoThePattern) {
  sql("CREATE TABLE staging (id int PRIMARY KEY, v text); INSERT INTO staging VALUES (1, 'old')");
  start(kQueues);
  sql("ALTER TABLE staging RENAME TO items_r_1; INSERT INTO items_r_1 VALUES (2, 'new')");
  EXPECT_TRUE(in_step("items_r_1", "'q:r:1:' || id", "q:r:1:*"));
}

// A pattern may match what has no key: that table is named, and the others go on.
TEST_F(NewTablesTest, NewTableWithoutAKeyIsNamedAndStopsNothing) {
  queue("items_a_1");
  start(kQueues);
  sql("CREATE TABLE items_nokey_1 (id int, v text); INSERT INTO items_nokey_1 VALUES (1, 'x')");
  walrelay().wait_log("items_nokey_1");
  queue("items_after_1");
  sql("INSERT INTO items_a_1 VALUES (1, 'x'); INSERT INTO items_after_1 VALUES (1, 'y'); UPDATE items_nokey_1 SET v = "
      "'writers are not hindered'");
  EXPECT_TRUE(in_step("items_a_1", "'q:a:1:' || id", "q:a:1:*"));
  EXPECT_TRUE(in_step("items_after_1", "'q:after:1:' || id", "q:after:1:*"));
  sql("ALTER TABLE items_nokey_1 ADD PRIMARY KEY (id)");
  EXPECT_TRUE(in_step("items_nokey_1", "'q:nokey:1:' || id", "q:nokey:1:*"));
}

TEST_F(NewTablesTest, NewTableWithoutTheMappingsColumnsIsNamedAndStopsNothing) {
  queue("items_a_1");
  start(kQueues);
  sql("CREATE TABLE items_odd_1 (key int PRIMARY KEY); INSERT INTO items_odd_1 VALUES (1); INSERT INTO items_a_1 "
      "VALUES (1, 'x')");
  walrelay().wait_log("items_odd_1");
  sql("INSERT INTO items_odd_1 VALUES (2); INSERT INTO items_a_1 VALUES (2, 'y')");
  EXPECT_TRUE(in_step("items_a_1", "'q:a:1:' || id", "q:a:1:*"));
  sql("ALTER TABLE items_odd_1 RENAME key TO id; INSERT INTO items_odd_1 VALUES (3)");
  EXPECT_TRUE(in_step("items_odd_1", "'q:odd:1:' || id", "q:odd:1:*"));
}

TEST_F(NewTablesTest, WithoutMappingsEveryPublishedTableIsAHash) {
  sql(R"(CREATE TABLE users (id int PRIMARY KEY, v text); INSERT INTO users VALUES (1, 'x');
         CREATE SCHEMA shop; CREATE TABLE shop.lines (o text, n int, PRIMARY KEY (o, n));
         INSERT INTO shop.lines VALUES ('a:b', 1), ('a', 2); CREATE TABLE heap (v text); INSERT INTO heap VALUES ('no key'))");
  start("");
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  EXPECT_TRUE(in_step("shop.lines", "'shop.lines:' || replace(o, ':', '%3A') || ':' || n", "shop.*"));
  sql("INSERT INTO heap VALUES ('still allowed'); UPDATE heap SET v = 'also allowed'; UPDATE users SET v = 'z'");
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  EXPECT_TRUE(redis().keys("heap*").empty());
  // The publication says which tables: one that is added to it comes with the rows that it has.
  sql("CREATE TABLE later (id int PRIMARY KEY, v text); INSERT INTO later VALUES (1, 'y'); ALTER PUBLICATION " +
      name() + " ADD TABLE later; INSERT INTO later VALUES (2, 'z')");
  EXPECT_TRUE(in_step("later", "'later:' || id", "later:*", kSeenInATest));
}

// Tables without a key are in it too, and their rows come with the stream.
TEST_F(NewTablesTest, PublicationForAllTables) {
  sql("CREATE TABLE users (id int PRIMARY KEY, v text); INSERT INTO users VALUES (1, 'x'); CREATE TABLE heap (v text)");
  sql("CREATE PUBLICATION " + name() + " FOR ALL TABLES");
  start("", "", ", manage_publication: false");
  sql("INSERT INTO heap VALUES ('no key'); CREATE TABLE later (id int PRIMARY KEY, v text); INSERT INTO later VALUES "
      "(1, 'y'); "
      "CREATE TABLE later_heap (v text); INSERT INTO later_heap VALUES ('no key'); INSERT INTO users VALUES (2, 'z')");
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  EXPECT_TRUE(in_step("later", "'later:' || id", "later:*", kSeenInATest));
  EXPECT_TRUE(redis().keys("*heap*").empty());
}

TEST_F(NewTablesTest, NewTableThatTheRoleMayNotReadIsNamedAndReadWhenItMay) {
  sql("CREATE TABLE users (id int PRIMARY KEY, v text); INSERT INTO users VALUES (1, 'x'); CREATE PUBLICATION " +
      name() + " FOR ALL TABLES; CREATE ROLE reader_" + name() +
      " LOGIN REPLICATION; GRANT SELECT ON users TO reader_" + name());
  connect_as("reader_" + name());
  start("");
  sql("CREATE TABLE later (id int PRIMARY KEY, v text); INSERT INTO later VALUES (1, 'y')");
  walrelay().wait_log("GRANT SELECT ON");
  sql("INSERT INTO later VALUES (2, 'z'); INSERT INTO users VALUES (2, 'z')");
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  EXPECT_TRUE(redis().keys("later:*").empty());
  sql("GRANT SELECT ON later TO reader_" + name());
  EXPECT_TRUE(in_step("later", "'later:' || id", "later:*"));
  sql("UPDATE later SET v = 'w' WHERE id = 1; DELETE FROM later WHERE id = 2");
  EXPECT_TRUE(in_step("later", "'later:' || id", "later:*"));
}

}  // namespace
}  // namespace walrelay::support
