// Kinds that tell of changes, and messages, on real servers: in order, none lost, and entries of a stream exactly once
// whatever is killed.
#include <random>

#include "tests/support/sql_connection.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

// A subscriber; messages are read by asking for something else, which comes behind them.
class Listener {
 public:
  Listener(const Redis& redis, const std::string& channels) : client_(redis.socket_path()) {
    client_.call({"PSUBSCRIBE", channels});
  }
  // "channel message" of each message so far.
  const std::vector<std::string>& heard() {
    for (;;) {
      const RedisReply reply = client_.call({"PING"});
      if (reply.elements.size() != 4) return heard_;  // not "pmessage", pattern, channel, message
      heard_.push_back(reply.elements[2].text + " " + reply.elements[3].text);
    }
  }

 private:
  RedisClient client_;
  std::vector<std::string> heard_;
};

class EventsTest : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text, doc text); ALTER TABLE users ALTER doc SET STORAGE "
        "EXTERNAL");
  }

  // The fields of every entry.
  static std::vector<std::map<std::string, std::string>> entries(const std::string& stream) {
    std::vector<std::map<std::string, std::string>> all;
    for (const auto& entry : redis().client().call({"XRANGE", stream, "-", "+"}).elements) {
      auto& fields = all.emplace_back();
      const auto& words = entry.elements.at(1).elements;
      for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields[words[i].text] = words[i + 1].text;
    }
    return all;
  }
  static std::vector<std::string> one_field(const std::string& stream, const std::string& field) {
    std::vector<std::string> all;
    for (auto& entry : entries(stream)) all.push_back(entry[field]);
    return all;
  }
};

using Strings = std::vector<std::string>;

TEST_F(EventsTest, MessagesInOrderAndOnlyOfChanges) {
  sql("INSERT INTO users VALUES (1, 'loaded')");
  Listener listener(redis(), name() + ":*");
  start("  - {table: users, write: [{hash: {key: \"user:{id}\"}}, {publish: {channel: \"" + name() +
        ":users\", message: \"{id}={name}\", on: [insert, update]}}, {publish: {channel: \"" + name() +
        ":rows\", columns: [id, name], when: id}}]}\n");
  sql("BEGIN; INSERT INTO users VALUES (2, 'a'); UPDATE users SET name = 'b' WHERE id = 2; UPDATE users SET id = 3 "
      "WHERE id = 2; COMMIT; BEGIN; INSERT INTO users VALUES (9, 'undone'); ROLLBACK; DELETE FROM users WHERE id = 3; "
      "INSERT INTO users VALUES (0, NULL)");
  const std::string n = name();
  const Strings expected = {
      n + ":users 2=a", n + R"(:rows {"id":2,"name":"a"})", n + ":users 2=b",        n + R"(:rows {"id":2,"name":"b"})",
      n + ":users 3=b", n + R"(:rows {"id":3,"name":"b"})", n + R"(:rows {"id":3})", n + ":users 0="};
  EXPECT_TRUE(eventually_equal([&] { return listener.heard(); }, expected));
}

// The reread of a TOASTed column is no change; the change is told once, at once.
TEST_F(EventsTest, ARowThatIsReadAgainIsToldOnce) {
  sql("INSERT INTO users VALUES (1, 'a', repeat('x', 9000))");
  start("  - {table: users, write: [{string: {key: \"doc:{id}\"}}, {stream: {key: log}}]}\n");
  for (int i = 0; i < 5; ++i) sql("UPDATE users SET name = 'n" + std::to_string(i) + "' WHERE id = 1");
  EXPECT_TRUE(json_is("doc:1", "SELECT to_jsonb(users) FROM users"));
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(one_field("log", "name"), (Strings{"n0", "n1", "n2", "n3", "n4"}));
  for (const auto& entry : entries("log")) EXPECT_EQ(entry.size(), 2U) << "what the UPDATE left out is left out";
}

TEST_F(EventsTest, ChangesAsEntries) {
  start(
      "  - {table: users, write: [{stream: {key: log, event: change, columns: [id, name]}}, "
      "{stream: {key: \"log:{id}\", on: insert, maxlen: 1000}}]}\n");
  sql("INSERT INTO users VALUES (1, 'a', 'secret')");
  const std::string xid = sql("SELECT xmin FROM users");
  sql("UPDATE users SET id = 2, name = NULL");
  sql("DELETE FROM users");
  sql("TRUNCATE users");
  EXPECT_TRUE(
      eventually_equal([] { return one_field("log", "op"); }, Strings{"insert", "update", "delete", "truncate"}));
  EXPECT_EQ(one_field("log", "before"), (Strings{"", R"({"id":1})", R"({"id":2})", ""}));
  EXPECT_EQ(one_field("log", "after"), (Strings{R"({"id":1,"name":"a"})", R"({"id":2,"name":null})", "", ""}));
  EXPECT_EQ(redis().keys("log:*"), Strings{"log:1"}) << "a TRUNCATE takes no entry away";
  EXPECT_EQ(entries("log")[0]["xid"], xid);
  for (auto& entry : entries("log")) {
    EXPECT_EQ(entry["table"], "public.users");
    EXPECT_EQ(sql("SELECT '" + entry["time"] + "'::timestamptz BETWEEN now() - interval '1 hour' AND now()"), "t");
    EXPECT_EQ(sql("SELECT '" + entry["lsn"] + "'::pg_lsn < pg_current_wal_lsn()"), "t");
  }
}

// A TRUNCATE of several tables is several changes.
TEST_F(EventsTest, OneTruncateOfTwoTables) {
  sql("CREATE TABLE pets (id int PRIMARY KEY)");
  start(
      "  - {table: users, write: {stream: {key: log, event: change}}}\n"
      "  - {table: pets, write: [{hash: {key: \"pet:{id}\"}}, {stream: {key: log, event: change}}]}\n");
  sql("INSERT INTO pets VALUES (1); TRUNCATE users, pets");
  EXPECT_TRUE(eventually([] { return entries("log").size() == 3; }));
  auto tables = one_field("log", "table");
  std::sort(tables.begin() + 1, tables.end());
  EXPECT_EQ(tables, (Strings{"public.pets", "public.pets", "public.users"}));
  EXPECT_TRUE(eventually([] { return redis().keys("pet:*").empty(); }));
}

// Every change of a workload is an entry, once and in its place, while the program is killed at awkward places; large
// transactions are applied in parts.
TEST_F(EventsTest, StreamsThroughKillsHoldEveryChangeOnce) {
  constexpr std::uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  const std::string mappings =
      "  - {table: users, write: [{stream: {key: log, event: change, columns: [id, name]}}, {string: {key: "
      "\"doc:{id}\"}}, {stream: {key: \"of:{id}\", columns: [id], on: [insert, update]}}]}\n";
  start(mappings, "flush: {interval: 5ms, batch_size: 50, max_bytes: 16KiB, max_transaction: 64KiB}\nack: {hold: 0}");
  SqlConnection writer(postgres().conninfo(name()));
  Strings expected;
  int version = 0;
  std::set<int> rows;
  const auto change = [&](bool large) {
    std::string statements = "BEGIN;";
    for (int i = large ? 600 : 1 + static_cast<int>(random() % 5); i > 0; --i) {
      const int id = static_cast<int>(random() % 30);
      const std::string value = std::to_string(++version), row = std::to_string(id);
      if (rows.insert(id).second) {
        statements += "INSERT INTO users VALUES (" + row + ",'" + value + "', repeat('d', 4000));";
        expected.push_back("insert " + row + " " + value);
      } else if (random() % 4 == 0) {
        rows.erase(id);
        statements += "DELETE FROM users WHERE id = " + row + ";";
        expected.push_back("delete " + row);
      } else {
        statements += "UPDATE users SET name = '" + value + "' WHERE id = " + row + ";";
        expected.push_back("update " + row + " " + value);
      }
    }
    writer.run(statements + "COMMIT");
  };
  for (int kill = 0; kill < 25; ++kill) {
    walrelay().set_environment({{"WALRELAY_CRASH_AT", std::to_string(1 + random() % (kill % 2 == 0 ? 400 : 3000))}});
    if (walrelay().running()) walrelay().kill();
    walrelay().start();
    const auto end = std::chrono::steady_clock::now() + seconds(2);
    while (walrelay().running() && std::chrono::steady_clock::now() < end) change(random() % 40 == 0);
    walrelay().process().wait(milliseconds(1));
  }
  if (walrelay().running()) walrelay().kill();
  walrelay().set_environment({});
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(caught_up(seconds(90)));
  Strings found;
  for (auto& entry : entries("log")) {
    const std::string row = entry[entry["op"] == "delete" ? "before" : "after"];
    std::string text = entry["op"];
    for (std::size_t at = row.find(':'); at != std::string::npos; at = row.find(':', at + 1)) {
      const std::size_t begin = row.find_first_not_of("\":", at);
      text += " " + row.substr(begin, row.find_first_of("\",}", begin) - begin);
    }
    found.push_back(text);
  }
  ASSERT_EQ(found.size(), expected.size()) << "seed " << kSeed;
  EXPECT_EQ(found, expected) << "seed " << kSeed;
  std::size_t of_rows = 0, told = 0;
  for (const std::string& key : redis().keys("of:*")) of_rows += entries(key).size();
  for (const std::string& one : expected) told += one.starts_with("delete") ? 0 : 1;
  EXPECT_EQ(of_rows, told);
}

TEST_F(EventsTest, WhatApplicationsWriteIntoTheLog) {
  Listener listener(redis(), name() + ":*");
  start("  - {table: users, write: [{hash: {key: \"user:{id}\"}}, {publish: {channel: \"" + name() +
        ":rows\", message: \"{id}\"}}]}\n");
  for (const char* key : {"cache:a", "cache:b*", "kept"}) redis().command("SET", key, "x");
  const auto publish = [&](const char* message, const char* transactional = "true") {
    return "SELECT pg_logical_emit_message(" + std::string(transactional) +
           ", 'walrelay', '{\"publish\": {\"channel\": \"" + name() + ":m\", \"message\": \"" + message + "\"}}');";
  };
  sql("BEGIN; INSERT INTO users VALUES (1);" + publish("one") + "INSERT INTO users VALUES (2); COMMIT;");
  sql("BEGIN;" + publish("undone") + "ROLLBACK;" + publish("at once", "false"));
  sql("SELECT pg_logical_emit_message(true, 'other', '{\"publish\": {}}')");
  const std::string place = sql("SELECT pg_logical_emit_message(false, 'walrelay', '{\"secret\": 1}')");
  sql("SELECT pg_logical_emit_message(true, 'walrelay', '{\"invalidate\": [\"cache:*\", \"nothing\"]}')");
  sql("INSERT INTO users VALUES (3)");
  const std::string n = name();
  const Strings expected = {n + ":rows 1", n + ":m one", n + ":rows 2", n + ":m at once", n + ":rows 3"};
  EXPECT_TRUE(eventually_equal([&] { return listener.heard(); }, expected));
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "cache:a", "cache:b*"); }, "0"));
  EXPECT_EQ(redis().command("EXISTS", "kept"), "1");
  walrelay().wait_log("is left out: it may ask for");
  EXPECT_EQ(count_of(walrelay().log(), "secret"), 0U);
  EXPECT_EQ(walrelay().metric("walrelay_messages_total", "result=\"refused\""), 1.0);
  walrelay().kill();
  walrelay().start();
  walrelay().wait_ready();
  sql("INSERT INTO users VALUES (4)");
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "user:4"); }, "1"));
}

// Another server under the same name, whose log begins lower: nothing is refused for ever.
TEST_F(EventsTest, AStreamGoesOnWhenTheLogBeginsLower) {
  for (int i = 0; i < 4; ++i) sql("INSERT INTO users VALUES (-1); DELETE FROM users; SELECT pg_switch_wal()");
  const std::string mappings = "  - {table: users, write: {stream: {key: log, on: insert, columns: [name]}}}\n";
  start(mappings);
  sql("INSERT INTO users VALUES (1, 'before')");
  EXPECT_TRUE(eventually_equal([] { return one_field("log", "name"); }, Strings{"before"}));
  EXPECT_EQ(walrelay().terminate(), 0);
  Postgres other;
  other.sql("CREATE DATABASE " + name());
  const std::string table = "CREATE TABLE users (id int PRIMARY KEY, name text, doc text)";
  other.sql(table, name());
  std::string config = this->config(mappings);
  const std::string old_host = "host=" + postgres().socket_dir() + " port=" + std::to_string(postgres().port());
  config.replace(config.find(old_host), old_host.size(),
                 "host=" + other.socket_dir() + " port=" + std::to_string(other.port()));
  walrelay().configure(config);
  walrelay().start();
  walrelay().wait_ready();
  other.sql("INSERT INTO users VALUES (1, 'after'), (2, 'too')", name());
  EXPECT_TRUE(eventually_equal([] { return one_field("log", "name"); }, Strings{"before", "after", "too"}));
  EXPECT_EQ(sql("SELECT '" + other.sql("SELECT pg_current_wal_lsn()", name()) + "'::pg_lsn < pg_current_wal_lsn()"),
            "t")
      << "or this says nothing";
  EXPECT_EQ(walrelay().terminate(), 0);
}

}  // namespace
}  // namespace walrelay::support
