// TRUNCATE removes exactly the keys that the mapping owns, in its place in the stream.
#include <set>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class TruncateTest : public EndToEnd {
 protected:
  static constexpr const char* kMappings =
      "  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n"
      "  - {table: orders, write: {hash: {key: \"order:{id}\"}}}\n";
  void users_and_orders() {
    sql(R"(CREATE TABLE users (id serial PRIMARY KEY, name text);
           CREATE TABLE orders (id serial PRIMARY KEY, user_id int REFERENCES users, note text);
           INSERT INTO users (name) SELECT 'u' || i FROM generate_series(1, 100) i;
           INSERT INTO orders (user_id, note) SELECT 1 + i % 100, 'o' || i FROM generate_series(1, 300) i)");
  }
  void both_in_step() {
    EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
    EXPECT_TRUE(in_step("orders", "'order:' || id", "order:*"));
  }
};

TEST_F(TruncateTest, CascadeRestartAndSeveralTables) {
  users_and_orders();
  start(kMappings);
  both_in_step();
  sql("TRUNCATE orders");
  both_in_step();
  sql("INSERT INTO orders (user_id) VALUES (1); TRUNCATE users RESTART IDENTITY CASCADE; INSERT INTO users (name) "
      "VALUES ('first again')");
  both_in_step();
  EXPECT_EQ(redis().hgetall("user:1").at("name"), "first again");
  sql("INSERT INTO orders (user_id) VALUES (1); TRUNCATE users, orders");
  both_in_step();
  EXPECT_TRUE(redis().keys("user:*").empty());
}

TEST_F(TruncateTest, StandsAtItsPlaceInATransaction) {
  users_and_orders();
  start(kMappings);
  both_in_step();
  sql("BEGIN; INSERT INTO orders (id, note) VALUES (1000, 'before'); TRUNCATE orders; INSERT INTO orders (id, note) "
      "VALUES (1001, 'between'), "
      "(5, 'same key'); TRUNCATE orders; INSERT INTO orders (id, note) VALUES (5, 'after'), (1002, 'after'); "
      "UPDATE orders SET id = 1003 WHERE id = 1002; SAVEPOINT s; TRUNCATE orders; ROLLBACK TO s; COMMIT");
  both_in_step();
  sql("BEGIN; TRUNCATE orders, users; ROLLBACK; INSERT INTO users (name) VALUES ('more')");
  both_in_step();
}

TEST_F(TruncateTest, ForeignKeysThatLookAlikeStay) {
  users_and_orders();
  start(kMappings);
  both_in_step();
  const std::vector<std::string> foreign = {
      "order:", "order: 1", "order:0x5", "order:1:items", "order:1x",    "order:profile",
      "other",  "user:",    "user:-",    "user:1.5",      "user:profile"};
  for (const auto& key : foreign) redis().command("SET", key, "foreign");
  sql("TRUNCATE users CASCADE; INSERT INTO users (id, name) VALUES (7777, 'marker')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "user:7777"); }, "1"));
  auto left = redis().keys("*");
  std::erase_if(left, [](const std::string& key) { return key.starts_with("walrelay:") || key == "user:7777"; });
  EXPECT_EQ(left, foreign);
}

TEST_F(TruncateTest, PartitionedTable) {
  sql(R"(CREATE TABLE readings (day int, id int, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
         CREATE TABLE readings_1 PARTITION OF readings FOR VALUES IN (1);
         CREATE TABLE readings_2 PARTITION OF readings FOR VALUES IN (2);
         INSERT INTO readings SELECT 1 + i % 2, i FROM generate_series(1, 20) i)");
  start("  - {table: readings, write: {hash: {key: \"r:{day}:{id}\"}}}\n");
  const std::string key = "'r:' || day || ':' || id";
  EXPECT_TRUE(in_step("readings", key, "r:*"));
  sql("TRUNCATE readings; INSERT INTO readings VALUES (1, 1)");
  EXPECT_TRUE(in_step("readings", key, "r:*"));
}

// One transaction that empties and fills a table must not show the emptiness.
TEST_F(TruncateTest, ReadersNeverSeeATableBetweenTruncateAndRefill) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT i, 'r0' FROM generate_series(1, "
      "1500) i");
  start("  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n");
  ASSERT_TRUE(in_step("users", "'user:' || id", "user:*"));
  sql("CREATE TABLE enough ()");  // dropped when the reader has looked often enough
  Beside writer(postgres(), name(),
                "DO $$ BEGIN FOR r IN 1..1000 LOOP TRUNCATE users; INSERT INTO users SELECT i, 'r' || r FROM "
                "generate_series(1, 1500) i; COMMIT; EXIT WHEN to_regclass('enough') IS NULL; END LOOP; END $$");
  RedisClient reader(redis().socket_path());
  std::size_t looks = 0;
  const auto look = [&] {
    reader.command("MULTI");
    reader.command("HGET", "user:1", "name");
    reader.command("HGET", "user:750", "name");
    reader.command("HGET", "user:1500", "name");
    reader.command("EXISTS", "user:2", "user:749", "user:1499");
    const auto seen = reader.call({"EXEC"}).elements;
    ++looks;
    return seen.size() == 4 && !seen[0].null && seen[0].text == seen[1].text && seen[1].text == seen[2].text &&
                   seen[3].text == "3"
               ? seen[0].text
               : "torn: " + reader.call({"HGET", "user:1", "name"}).print();
  };
  std::string last;
  std::set<std::string> rounds;
  EXPECT_TRUE(eventually(
      [&] {
        last = look();
        EXPECT_TRUE(last.starts_with("r")) << last;
        rounds.insert(last);
        return (looks > 100 && rounds.size() > 5) || !last.starts_with("r");
      },
      seconds(60)));
  sql("DROP TABLE enough");
  EXPECT_EQ(writer.join(), "");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

// A Redis that does not answer keeps no lock on the table: the TRUNCATE goes through at once.
TEST_F(TruncateTest, WhileTheTableIsBeingLoaded) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); "
      "INSERT INTO users SELECT i, repeat('x', 450) FROM generate_series(1, 20000) i");
  launch_and_hold("  - {table: users, write: {hash: {key: \"user:{id}\"}}}\n",
                  "load: {chunk_bytes: 8192, connections: 3}");
  sql("TRUNCATE users; INSERT INTO users VALUES (1, 'new'), (19999, 'new')");
  redis().resume();
  walrelay().wait_ready();
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

}  // namespace
}  // namespace walrelay::support
