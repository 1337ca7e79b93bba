// What a rebuild writes: Redis becomes what the tables say, whatever stood there and whatever happens meanwhile.
#include <signal.h>

#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

class RebuildReadTest : public RebuildFixture {};

TEST_F(RebuildReadTest, WrongContentIsMended) {
  users(20);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  redis().command("DEL", "user:1");
  redis().command("HDEL", "user:2", "name");
  redis().command("HSET", "user:3", "extra", "field");
  redis().command("HSET", "user:4", "name", "wrong");
  redis().command("DEL", "user:5", "user:6");
  redis().command("SET", "user:5", "a string");
  redis().command("SADD", "user:6", "a", "set");
  plant({"user:77"});
  const auto done = rebuild("users");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("processedRecords"), "20");
  EXPECT_EQ(done.text("totalRecords"), "20");
  EXPECT_EQ(done.text("removedKeys"), "1");
  EXPECT_EQ(done.text("phase"), "done");
  EXPECT_EQ(done.text("errorMessage"), "null");
  EXPECT_NE(done.text("completedAt"), "null");
  EXPECT_TRUE(users_in_step());
}

// What the first load has read already may have been spoilt since.
TEST_F(RebuildReadTest, AskedForInTheMiddleOfTheFirstLoad) {
  users(60000);
  launch(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
  const std::string slot = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = '" + name() + "'";
  std::string sender_pid;
  ASSERT_TRUE(eventually([&] { return !(sender_pid = sql(slot)).empty(); }));
  const int sender = std::stoi(sender_pid);
  ASSERT_TRUE(eventually([] { return redis().command("EXISTS", "user:100") == "1"; }));
  // No chunk lands before the stream has come to where the chunk was opened.
  ASSERT_EQ(::kill(sender, SIGSTOP), 0);
  sql("SELECT pg_logical_emit_message(false, 'test', '')");
  EXPECT_NE(redis().command("EXISTS", "user:60000"), "1") << "the load was too fast to be met";
  redis().command("DEL", "user:1");
  redis().command("HSET", "user:2", "name", "wrong");
  EXPECT_EQ(post(route("users")).http(), 202);
  ASSERT_EQ(::kill(sender, SIGCONT), 0);
  EXPECT_EQ(finished("users").text("status"), "COMPLETED");
  EXPECT_TRUE(users_in_step());
  EXPECT_TRUE(caught_up());
}

TEST_F(RebuildReadTest, EverythingIsMissing) {
  users(2000);
  start(kUsers, "load: {chunk_bytes: 8KiB}");
  ASSERT_TRUE(users_in_step());
  redis().command("EVAL", "for i = 1, 2000 do redis.call('DEL', 'user:' .. i) end", "0");
  EXPECT_EQ(rebuild("users").text("status"), "COMPLETED");
  EXPECT_TRUE(users_in_step());
}

TEST_F(RebuildReadTest, StringsAndJson) {
  sql("CREATE TABLE docs (id int PRIMARY KEY, body jsonb); INSERT INTO docs SELECT i, '{\"a\": [1, 2]}' FROM "
      "generate_series(1, 5) i");
  start("  - {name: docs, table: docs, write: {string: {key: \"doc:{id}\"}}}\n");
  redis().command("SET", "doc:1", "garbage");
  redis().command("DEL", "doc:2");
  plant({"doc:9"});
  EXPECT_EQ(rebuild("docs").text("removedKeys"), "1");
  for (const char* id : {"1", "2"}) {
    EXPECT_TRUE(json_is("doc:" + std::string(id), "SELECT to_jsonb(docs) FROM docs WHERE id = " + std::string(id)));
  }
}

TEST_F(RebuildReadTest, EmptyTables) {
  users(0);
  start(kUsers);
  plant({"user:1", "user:2"});
  const auto done = rebuild("users");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("processedRecords"), "0");
  EXPECT_EQ(done.text("removedKeys"), "2");
  EXPECT_TRUE(users_in_step());
}

// Of a whole pattern, or one of its tables.
TEST_F(RebuildReadTest, TablesOfAPattern) {
  sql("CREATE TABLE q_1 (id int PRIMARY KEY); CREATE TABLE q_2 (id int PRIMARY KEY); INSERT INTO q_1 VALUES (1); "
      "INSERT "
      "INTO q_2 VALUES (1)");
  start("  - {name: queues, tables: '^public\\.q_(?<n>[0-9]+)$', write: {hash: {key: \"q:{n}:{id}\"}}}\n");
  ASSERT_TRUE(eventually_equal([] { return keys(); }, std::vector<std::string>{"q:1:1", "q:2:1"}));
  plant({"q:1:9", "q:2:9", "q:3:9"});
  redis().command("DEL", "q:1:1", "q:2:1");
  EXPECT_EQ(rebuild("queues", "?table=public.q_2").text("removedKeys"), "1");
  EXPECT_TRUE(eventually_equal([] { return keys(); }, std::vector<std::string>{"q:1:9", "q:2:1", "q:3:9"}));
  EXPECT_EQ(rebuild("queues").text("removedKeys"), "1");
  EXPECT_TRUE(eventually_equal([] { return keys(); }, std::vector<std::string>{"q:1:1", "q:2:1", "q:3:9"}));
  const auto none = rebuild("queues", "?table=q_3");
  EXPECT_EQ(none.text("status"), "FAILED");
  EXPECT_THAT(none.text("errorMessage"), testing::HasSubstr("public.q_3"));
}

TEST_F(RebuildReadTest, PartitionedTable) {
  sql(R"(CREATE TABLE readings (day int, id int, v text, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
         CREATE TABLE readings_1 PARTITION OF readings FOR VALUES IN (1);
         CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
         INSERT INTO readings SELECT i % 4, i, 'v' FROM generate_series(1, 200) i)");
  start("  - {name: readings, table: readings, write: {hash: {key: \"r:{day}:{id}\"}}}\n");
  const std::string key = "'r:' || day || ':' || id";
  ASSERT_TRUE(in_step("readings", key, "r:*"));
  redis().command("DEL", "r:1:1", "r:2:2");
  plant({"r:1:2", "r:9:9"});
  EXPECT_EQ(rebuild("readings").text("removedKeys"), "2");
  EXPECT_TRUE(in_step("readings", key, "r:*"));
  redis().command("DEL", "r:1:1", "r:2:2");
  plant({"r:1:2", "r:9:9"});
  EXPECT_EQ(rebuild("readings", "?where.day=1").text("removedKeys"), "1");
  EXPECT_EQ(left_of({"r:1:1", "r:2:2", "r:1:2", "r:9:9"}), (std::vector<std::string>{"r:1:1", "r:9:9"}));
}

// Rows and columns that the publication leaves out have no place in Redis.
TEST_F(RebuildReadTest, RowFiltersAndColumnListsOfThePublication) {
  if (Postgres::version() < 15) return;  // it has none
  users(10);
  sql("ALTER TABLE users ADD secret text DEFAULT 's'; CREATE PUBLICATION " + name() +
      " FOR TABLE users (id, name) WHERE (id <= 7)");
  start(kUsers);
  ASSERT_TRUE(eventually([] { return keys().size() == 7; }));
  plant({"user:8", "user:11"});
  redis().command("HSET", "user:1", "secret", "told");
  redis().command("DEL", "user:2");
  const auto done = rebuild("users");
  EXPECT_EQ(done.text("removedKeys"), "2") << done.body();
  EXPECT_EQ(done.text("processedRecords"), "7");
  sql("CREATE VIEW published AS SELECT id, name FROM users WHERE id <= 7");
  EXPECT_TRUE(in_step("published", "'user:' || id", "user:*"));
}

TEST_F(RebuildReadTest, WithoutMappings) {
  users(10);
  sql("CREATE SCHEMA s; CREATE TABLE s.t (a text PRIMARY KEY, b int); INSERT INTO s.t VALUES ('x:y', 1)");
  start("");
  ASSERT_TRUE(in_step("users", "'users:' || id", "users:*"));
  plant({"users:99", "s.t:z", "s.t:x:y"});
  EXPECT_EQ(get("/api/v1/status").text("mappings"), R"(["public.users","s.t"])");
  EXPECT_EQ(rebuild("public.users").text("removedKeys"), "1");
  EXPECT_EQ(rebuild("s.t").text("removedKeys"), "1");
  EXPECT_TRUE(eventually_equal([] { return left_of({"users:99", "s.t:z", "s.t:x:y", "s.t:x%3Ay"}); },
                               std::vector<std::string>{"s.t:x:y", "s.t:x%3Ay"}));
  EXPECT_TRUE(in_step("users", "'users:' || id", "users:*"));
  EXPECT_EQ(post(route("users")).http(), 404);
}

// ---- while it is under way ----

class RebuildMeanwhileTest : public RebuildReadTest {
 protected:
  // A rebuild that has begun to read, and cannot go on before release().
  void hold() {
    sql("CREATE TABLE users (id int PRIMARY KEY, name text, big text); ALTER TABLE users ALTER big SET STORAGE "
        "EXTERNAL; "
        "INSERT INTO users SELECT i, 'u', repeat(md5(i::text), 100) FROM generate_series(1, 400) i");
    start(kUsers, "load: {chunk_bytes: 8KiB, connections: 1}");
    ASSERT_TRUE(users_in_step());
    plant({"user:9999"});
    ASSERT_EQ(post(route("users")).http(), 202);
    redis().pause();
  }
  void release() {
    redis().resume();
    const auto done = finished("users", "", seconds(60));
    EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
    EXPECT_TRUE(users_in_step());
  }
};

TEST_F(RebuildMeanwhileTest, Truncate) {
  hold();
  sql("TRUNCATE users; INSERT INTO users VALUES (3, 'new', 'x'), (500, 'new', 'y')");
  release();
}

TEST_F(RebuildMeanwhileTest, AddColumnAndDropColumn) {
  hold();
  sql("ALTER TABLE users ADD note text DEFAULT 'd'; UPDATE users SET note = 'n' WHERE id < 10; ALTER TABLE users DROP "
      "name; INSERT INTO users (id) VALUES (700)");
  release();
}

TEST_F(RebuildMeanwhileTest, UpdatesThatLeaveAColumnOut) {
  hold();
  sql("UPDATE users SET name = 'changed' WHERE id % 3 = 0; UPDATE users SET id = id + 1000 WHERE id % 7 = 0; DELETE "
      "FROM "
      "users WHERE id % 11 = 0");
  release();
}

TEST_F(RebuildMeanwhileTest, TheTableIsDropped) {
  hold();
  sql("DROP TABLE users");
  redis().resume();
  const auto done = finished("users", "", seconds(60));
  EXPECT_NE(done.text("status"), "RUNNING") << done.body();
  EXPECT_TRUE(walrelay().running());
}

}  // namespace
}  // namespace walrelay::support
