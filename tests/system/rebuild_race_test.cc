// A rebuild beside writers: no key vanishes whose row was never deleted, and at the end both sides are the same.
#include "tests/support/random_values.h"
#include "tests/support/sql_connection.h"
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

constexpr std::uint64_t kSeed = 20260101;

// Polls keys that must always be there.
class ExistenceWatch {
 public:
  ExistenceWatch(const std::string& redis_socket, std::vector<std::string> keys)
      : keys_(std::move(keys)), redis_(redis_socket), thread_([this] { watch(); }) {}
  ~ExistenceWatch() { stop(); }
  ExistenceWatch(const ExistenceWatch&) = delete;
  ExistenceWatch& operator=(const ExistenceWatch&) = delete;
  std::string stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return offence_;
  }
  [[nodiscard]] std::uint64_t looks() const { return looks_; }

 private:
  void watch() {
    std::vector<std::string> words = keys_;
    words.insert(words.begin(), "EXISTS");
    while (!stopping_ && offence_.empty()) {
      if (redis_.call(words).text != std::to_string(keys_.size())) offence_ = "a key is away";
      ++looks_;
    }
  }
  const std::vector<std::string> keys_;
  RedisClient redis_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> looks_ = 0;
  std::string offence_;
  std::thread thread_;
};

// Deletes and inserts the same ids again and again, in transactions of several rows.
class ChurnWriter {
 public:
  ChurnWriter(const std::string& conninfo, std::string table, int from, int to, std::uint64_t seed)
      : table_(std::move(table)), from_(from), to_(to), random_(seed), connection_(conninfo), thread_([this] {
          work();
        }) {}
  ~ChurnWriter() { stop(); }
  ChurnWriter(const ChurnWriter&) = delete;
  ChurnWriter& operator=(const ChurnWriter&) = delete;
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t committed() const { return committed_; }
  [[nodiscard]] const std::string& mistake() const { return mistake_; }

 private:
  std::string id() { return std::to_string(random_.between(from_, to_)); }
  std::string statement() {
    switch (random_.below(4)) {
      case 0:
        return "DELETE FROM " + table_ + " WHERE id = " + id();
      case 1:
        return "UPDATE " + table_ + " SET name = 'v" + std::to_string(committed_) + "' WHERE id = " + id();
      default:
        return "INSERT INTO " + table_ + " (id, name) VALUES (" + id() + ", 'n" + std::to_string(committed_) +
               "') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name";
    }
  }
  void work() {
    try {
      while (!stopping_) {
        std::string transaction = "BEGIN";
        for (std::uint64_t i = random_.below(5) + 1; i > 0; --i) transaction += "; " + statement();
        connection_.run(transaction + (random_.chance(0.1) ? "; ROLLBACK" : "; COMMIT"));
        ++committed_;
      }
    } catch (const SqlError& error) {
      mistake_ = error.what();
    }
  }
  const std::string table_;
  const int from_, to_;
  RandomValues random_;
  SqlConnection connection_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> committed_ = 0;
  std::string mistake_;
  std::thread thread_;
};

// Deletes each row and inserts it again, in two transactions.
class OnceWriter {
 public:
  OnceWriter(const std::string& conninfo, const std::string& table, const std::string& name, int rows)
      : thread_([this, conninfo, table, name, rows] {
          try {
            SqlConnection connection(conninfo);
            for (int i = 1; i <= rows; ++i) {
              const std::string id = std::to_string(i);
              connection.run("DELETE FROM " + table + " WHERE id = " + id);
              connection.run("INSERT INTO " + table + " VALUES (" + id + ", " + name + id + ")");
              through_ = i;
            }
          } catch (const SqlError& error) {
            mistake_ = error.what();
          }
          done_ = true;
        }) {}
  ~OnceWriter() { join(); }
  OnceWriter(const OnceWriter&) = delete;
  OnceWriter& operator=(const OnceWriter&) = delete;
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] int through() const { return through_; }  // rows up to here are back
  std::string join() {
    if (thread_.joinable()) thread_.join();
    return mistake_;
  }

 private:
  std::atomic<bool> done_ = false;
  std::atomic<int> through_ = 0;
  std::string mistake_;
  std::thread thread_;
};

class RebuildRaceTest : public RebuildFixture {
 protected:
  // Before the next rebuild mends it: what has come back stays.
  void all_are_there(const std::string& prefix, const OnceWriter& writer) {
    const int rows = writer.through();
    ASSERT_TRUE(caught_up());
    if (rows == 0) return;
    auto words = numbered(prefix, 1, rows);
    words.insert(words.begin(), "EXISTS");
    EXPECT_EQ(redis().client().command_words(words), std::to_string(rows)) << prefix;
  }
  static std::vector<std::string> numbered(const std::string& prefix, int from, int to) {
    std::vector<std::string> keys;
    for (int i = from; i <= to; ++i) keys.push_back(prefix + std::to_string(i));
    return keys;
  }
  // One rebuild after another for some seconds, with ghosts each time.
  void rebuild_again_and_again(const std::string& mapping, const std::string& prefix, int rounds) {
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      const auto ghosts = numbered(prefix, 90000, 90050);
      plant(ghosts);
      const auto done = rebuild(mapping, "", seconds(60));
      EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
      EXPECT_TRUE(eventually([&] { return left_of(ghosts).empty(); }));
    }
  }
};

TEST_F(RebuildRaceTest, NoKeyVanishesAndNoneIsLeft) {
  users(600);
  start(kUsers, "load: {chunk_bytes: 8KiB}");
  ASSERT_TRUE(users_in_step());
  ExistenceWatch watch(redis().socket_path(), numbered("user:", 301, 600));
  {
    ChurnWriter writer(postgres().conninfo(name()), "users", 1, 300, kSeed);
    rebuild_again_and_again("users", "user:", 12);
    writer.stop();
    EXPECT_EQ(writer.mistake(), "");
    EXPECT_GT(writer.committed(), 100U);
  }
  EXPECT_TRUE(users_in_step()) << "seed " << kSeed;
  EXPECT_EQ(watch.stop(), "") << "seed " << kSeed;
  EXPECT_GT(watch.looks(), 100U);
}

// Two tables whose rows make the same keys, each churned.
TEST_F(RebuildRaceTest, SharedKeys) {
  sql("CREATE TABLE part_1 (id int PRIMARY KEY, name text); CREATE TABLE part_2 (LIKE part_1 INCLUDING ALL); "
      "INSERT INTO part_1 SELECT i, 'a' FROM generate_series(1, 100) i; "
      "INSERT INTO part_2 SELECT i, 'a' FROM generate_series(201, 300) i");
  start("  - {name: parts, tables: '^public\\.part_[12]$', write: {hash: {key: \"row:{id}\"}}}\n");
  ASSERT_TRUE(eventually([] { return keys().size() == 200; }));
  {
    ChurnWriter one(postgres().conninfo(name()), "part_1", 1, 100, kSeed + 1);
    ChurnWriter two(postgres().conninfo(name()), "part_2", 201, 300, kSeed + 2);
    rebuild_again_and_again("parts", "row:", 8);
    one.stop();
    two.stop();
    EXPECT_EQ(one.mistake() + two.mistake(), "");
  }
  sql("CREATE VIEW twice AS SELECT * FROM part_1 UNION ALL SELECT * FROM part_2");
  EXPECT_TRUE(in_step("twice", "'row:' || id", "row:*")) << "seed " << kSeed;
}

// Each row goes and comes back once, so that a key that is removed wrongly stays away.
TEST_F(RebuildRaceTest, RowsThatComeBackOnce) {
  users(3000);
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  OnceWriter writer(postgres().conninfo(name()), "users", "'u' || ", 3000);
  while (!writer.done() && !HasFailure()) {
    rebuild_again_and_again("users", "user:", 1);
    all_are_there("user:", writer);
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_TRUE(users_in_step());
}

// Without a primary key a row is what all keys are made of; each key says only a part of that.
TEST_F(RebuildRaceTest, TwoKeysOfATableWithoutAPrimaryKey) {
  sql("CREATE TABLE notes (id int NOT NULL UNIQUE, name text NOT NULL); ALTER TABLE notes REPLICA IDENTITY FULL; "
      "INSERT "
      "INTO notes SELECT i, 'n' || i FROM generate_series(1, 3000) i");
  start("  - {name: notes, table: notes, write: [{hash: {key: \"id:{id}\"}}, {hash: {key: \"name:{name}\"}}]}\n");
  ASSERT_TRUE(in_step("notes", "'id:' || id", "id:*"));
  OnceWriter writer(postgres().conninfo(name()), "notes", "'n' || ", 3000);
  while (!writer.done() && !HasFailure()) {
    rebuild_again_and_again("notes", "id:", 1);
    all_are_there("id:", writer);
    all_are_there("name:n", writer);
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_TRUE(in_step("notes", "'id:' || id", "id:*")) << "seed " << kSeed;
  EXPECT_TRUE(in_step("notes", "'name:' || name", "name:*")) << "seed " << kSeed;
}

// The columns change after the table was looked at and before it is read: no bytes are taken for those of another type.
class AlteredBeforeItIsReadTest : public RebuildRaceTest, public testing::WithParamInterface<const char*> {};

TEST_P(AlteredBeforeItIsReadTest, IsLookedAtAnew) {
  sql("CREATE TABLE users (id int PRIMARY KEY, n int); INSERT INTO users SELECT i, i FROM generate_series(1, 500) i");
  start(kUsers);
  ASSERT_TRUE(users_in_step());
  PsqlSession altering(postgres(), name());
  altering.sql("BEGIN; ALTER TABLE users ALTER n TYPE " + std::string(GetParam()));
  EXPECT_EQ(post(route("users")).http(), 202);
  ASSERT_TRUE(eventually(
      [this] { return sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'") != "0"; }));
  altering.sql("COMMIT");
  EXPECT_EQ(finished("users").text("status"), "COMPLETED");
  EXPECT_TRUE(users_in_step());
  EXPECT_TRUE(walrelay().running());
  EXPECT_NE(walrelay().log().find("column \\\"n\\\" has changed since the table was looked at"), std::string::npos);
  EXPECT_EQ(walrelay().log().find("protocol"), std::string::npos) << walrelay().log();
}

INSTANTIATE_TEST_SUITE_P(All, AlteredBeforeItIsReadTest, testing::Values("bigint", "smallint", "real", "numeric"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace walrelay::support
