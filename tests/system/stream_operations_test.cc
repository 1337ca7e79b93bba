// Every operation of the stream, in every shape that PostgreSQL sends it.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class StreamOperationsTest : public EndToEnd {
 public:
  static void SetUpTestSuite() { open_servers({.settings = {{"max_prepared_transactions", "4"}}}); }

 protected:
  static constexpr const char* kUser = "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n";
  static constexpr const char* kUserKey = "'user:' || id";
};

TEST_F(StreamOperationsTest, InsertUpdateDelete) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text, age int, ok bool, at timestamptz)");
  start(kUser);
  sql("INSERT INTO users VALUES (1, 'Ada', 36, true, '2026-01-01 00:00:00.5+01'), (2, '', NULL, NULL, NULL), (3, 'x', "
      "1, false, 'infinity')");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  sql("UPDATE users SET age = NULL, name = NULL WHERE id = 1; UPDATE users SET name = 'y' WHERE id = 2; DELETE FROM "
      "users WHERE id = 3");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  EXPECT_EQ(redis().command("HEXISTS", "user:1", "age"), "0") << "NULL is the absence of the field";
  // Deleted and made anew with fewer values: nothing of the old row stays.
  sql("DELETE FROM users WHERE id = 1; INSERT INTO users (id) VALUES (1)");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  sql("INSERT INTO users (id, name) VALUES (1, 'again') ON CONFLICT (id) DO UPDATE SET name = excluded.name; "
      "INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING; UPDATE users SET name = name");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
}

TEST_F(StreamOperationsTest, KeyChangesSwapsAndRotations) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT i, 'n' || i FROM "
      "generate_series(1, 20) i");
  start(kUser);
  sql("UPDATE users SET id = 100 WHERE id = 1");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  EXPECT_EQ(redis().command("EXISTS", "user:1"), "0");
  sql("BEGIN; UPDATE users SET id = -1 WHERE id = 2; UPDATE users SET id = 2 WHERE id = 3; UPDATE users SET id = 3 "
      "WHERE id = -1; COMMIT");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  EXPECT_EQ(redis().hgetall("user:2").at("name"), "n3");
  sql("BEGIN; UPDATE users SET id = id + 1000; UPDATE users SET id = id - 999; UPDATE users SET name = name || '!' "
      "WHERE id > 10; "
      "DELETE FROM users WHERE id = 12; COMMIT");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
}

// While a reader looks, a key change and a swap are one step: never both keys, never neither.
TEST_F(StreamOperationsTest, ReadersSeeAKeyChangeAsOneStep) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'only')");
  start(kUser);
  ASSERT_TRUE(in_step("users", kUserKey, "user:*"));
  Beside writer(postgres(), name(),
                "DO $$ BEGIN FOR i IN 1..300 LOOP UPDATE users SET id = 3 - id; COMMIT; END LOOP; END $$");
  std::size_t looks = 0;
  while (!writer.done()) {
    EXPECT_EQ(redis().command("EXISTS", "user:1", "user:2"), "1");
    ++looks;
  }
  EXPECT_GT(looks, 10U);
  EXPECT_EQ(writer.join(), "");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
}

TEST_F(StreamOperationsTest, FullIdentityWithAndWithoutPrimaryKey) {
  sql(R"(CREATE TABLE users (id int PRIMARY KEY, name text); ALTER TABLE users REPLICA IDENTITY FULL;
         CREATE TABLE logs (day int, line text, n int); ALTER TABLE logs REPLICA IDENTITY FULL;
         INSERT INTO users VALUES (1, 'a'), (2, 'b'); INSERT INTO logs VALUES (1, 'x', 1), (1, 'y', 2))");
  start(std::string(kUser) + "  - {table: logs, write: {hash: {key: \"log:{day}:{line}\"}}}\n");
  sql("UPDATE users SET name = 'c' WHERE id = 1; UPDATE users SET id = 9 WHERE id = 2; DELETE FROM users WHERE id = 1; "
      "UPDATE logs SET n = 7 WHERE line = 'x'; UPDATE logs SET line = 'z' WHERE line = 'y'; INSERT INTO logs VALUES "
      "(2, 'w', 0)");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  EXPECT_TRUE(in_step("logs", "'log:' || day || ':' || line", "log:*"));
  sql("DELETE FROM logs WHERE day = 1");
  EXPECT_TRUE(in_step("logs", "'log:' || day || ':' || line", "log:*"));
}

TEST_F(StreamOperationsTest, IdentityUsingAnIndex) {
  sql(R"(CREATE TABLE users (pk serial PRIMARY KEY, id text NOT NULL UNIQUE, name text);
         ALTER TABLE users REPLICA IDENTITY USING INDEX users_id_key; INSERT INTO users (id, name) VALUES ('a', '1'), ('b', '2'))");
  start(kUser);
  sql("UPDATE users SET pk = pk + 100 WHERE id = 'a'; UPDATE users SET id = 'c' WHERE id = 'b'; "
      "INSERT INTO users (id) VALUES ('d'); DELETE FROM users WHERE id = 'a'");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
}

TEST_F(StreamOperationsTest, SavepointsRollbacksAndPreparedTransactions) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a')");
  start(kUser);
  sql(R"(BEGIN; INSERT INTO users VALUES (2, 'b'); SAVEPOINT s; INSERT INTO users VALUES (3, 'undone'); UPDATE users SET name = 'undone';
         ROLLBACK TO s; INSERT INTO users VALUES (4, 'd'); SAVEPOINT t; DELETE FROM users WHERE id = 1; RELEASE t; COMMIT;
         BEGIN; INSERT INTO users VALUES (5, 'undone'); ROLLBACK;
         BEGIN; INSERT INTO users VALUES (6, 'prepared'); PREPARE TRANSACTION 'one';
         BEGIN; INSERT INTO users VALUES (7, 'undone'); PREPARE TRANSACTION 'two';
         INSERT INTO users VALUES (8, 'after the prepare'))");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
  EXPECT_EQ(redis().command("EXISTS", "user:6"), "0");
  sql("ROLLBACK PREPARED 'two'; UPDATE users SET name = 'later' WHERE id = 8");
  sql("COMMIT PREPARED 'one'");
  EXPECT_TRUE(in_step("users", kUserKey, "user:*"));
}

// Far more than one MULTI may hold and far more than the process may: it goes in parts, in order.
TEST_F(StreamOperationsTest, OneTransactionOfThreeHundredThousandRows) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text, n int)");
  // The sanitizer would keep 256 MB of freed memory to find its use.
  launch(kUser, "flush: {interval: 0, max_transaction: 4MiB, max_bytes: 1MiB}", "",
         {{"ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}});
  walrelay().wait_ready();
  const long before = walrelay().process().peak_resident_bytes();
  sql("BEGIN; INSERT INTO users SELECT i, repeat('x', 100), 0 FROM generate_series(1, 300000) i; "
      "UPDATE users SET n = 1 WHERE id % 10 = 0; DELETE FROM users WHERE id % 3 = 0; COMMIT");
  ASSERT_TRUE(caught_up(seconds(120)));
  const std::size_t own = redis().keys("walrelay:*").size();
  EXPECT_EQ(redis().command("DBSIZE"), sql("SELECT count(*) + " + std::to_string(own) + " FROM users"));
  sql("CREATE TABLE sample AS SELECT * FROM users WHERE id % 10 IN (0, 7)");
  Hashes found = redis().client().hashes("user:*[07]");
  EXPECT_TRUE(same(found, rows_of("sample", kUserKey)));
  // The rows alone are 40 MB, their commands more.
  EXPECT_LT(walrelay().process().peak_resident_bytes() - before, 30L * 1024 * 1024);
}

TEST_F(StreamOperationsTest, PublicationOfTheAdministrator) {
  sql(R"(CREATE TABLE users (id int PRIMARY KEY, name text, secret text, active bool NOT NULL);
         ALTER TABLE users REPLICA IDENTITY FULL;
         INSERT INTO users VALUES (1, 'a', 's', true), (2, 'b', 's', false);
         CREATE TABLE logs (id int PRIMARY KEY, note text, secret text); INSERT INTO logs VALUES (1, 'n', 's'))");
  sql("CREATE PUBLICATION " + name() + " FOR TABLE users WHERE (active), logs (id, note)");
  start(std::string(kUser) + "  - {table: logs, write: {hash: {key: \"log:{id}\"}}}\n", "",
        ", manage_publication: false");
  sql("CREATE VIEW v AS SELECT * FROM users WHERE active; CREATE VIEW l AS SELECT id, note FROM logs");
  EXPECT_TRUE(in_step("v", kUserKey, "user:*"));
  EXPECT_TRUE(in_step("l", "'log:' || id", "log:*"));
  sql("UPDATE users SET active = NOT active; UPDATE users SET name = 'c' WHERE id = 2; INSERT INTO users VALUES (3, "
      "'d', 's', false); "
      "UPDATE logs SET secret = 't'; UPDATE logs SET note = 'm'; INSERT INTO logs VALUES (2, 'o', 's')");
  EXPECT_TRUE(in_step("v", kUserKey, "user:*"));
  EXPECT_TRUE(in_step("l", "'log:' || id", "log:*"));
  EXPECT_EQ(sql("SELECT count(*) FROM pg_publication_rel WHERE prqual IS NOT NULL OR prattrs IS NOT NULL"), "2");
}

}  // namespace
}  // namespace walrelay::support
