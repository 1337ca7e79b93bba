// The initial load: rows that exist, rows that change meanwhile, tables of every shape.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class InitialLoadTest : public EndToEnd {
 protected:
  void TearDown() override {
    if (redis().running()) redis().resume();
    postgres().set("synchronous_standby_names", "");
    EndToEnd::TearDown();
  }
};

constexpr const char* kSmallChunks = "load: {chunk_bytes: 8192, connections: 3}";
const std::string kItems = "  - {table: items, write: {hash: {key: \"item:{id}\"}}}\n";
const std::string kItemsAndScratch = kItems + "  - {table: scratch, write: {hash: {key: \"scratch:{id}\"}}}\n";

// Writes at random until the table `stop` has a row: inserts, updates, deletes, new keys, savepoints that are rolled
// back, transactions that are rolled back, and a second table that is truncated and filled again.
constexpr const char* kChurn = R"(
  CREATE TABLE stop (id int);
  CREATE TABLE items (id int PRIMARY KEY, version int NOT NULL, note text);
  CREATE TABLE scratch (id int PRIMARY KEY, round int NOT NULL);
  INSERT INTO items SELECT i, 0, repeat('x', 100) FROM generate_series(1, 8000) i;
  INSERT INTO scratch SELECT i, 0 FROM generate_series(1, 2000) i;
  CREATE PROCEDURE churn(seed float8) LANGUAGE plpgsql AS $$
  DECLARE kind int; this int; that int; round int := 0;
  BEGIN
    PERFORM setseed(seed);
    WHILE NOT EXISTS (SELECT FROM stop) LOOP
      kind := floor(random() * 100); this := 1 + floor(random() * 9000); that := 1 + floor(random() * 9000);
      BEGIN
        IF kind < 35 THEN UPDATE items SET version = version + 1 WHERE id = this;
        ELSIF kind < 50 THEN INSERT INTO items VALUES (this, 1, 'new') ON CONFLICT DO NOTHING;
        ELSIF kind < 65 THEN DELETE FROM items WHERE id = this;
        ELSIF kind < 85 THEN UPDATE items SET id = that, version = version + 1 WHERE id = this;
        ELSIF kind < 90 THEN UPDATE items SET note = NULL WHERE id BETWEEN this AND this + 20;
        ELSIF kind < 95 THEN
          UPDATE items SET version = -1 WHERE id = this;
          RAISE EXCEPTION 'undone';
        ELSE
          round := round + 1;
          TRUNCATE scratch;
          INSERT INTO scratch SELECT i, round FROM generate_series(this, this + 50) i;
        END IF;
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
      IF kind % 10 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
      PERFORM pg_sleep(0.0005);
    END LOOP;
  END $$;
)";

TEST_F(InitialLoadTest, ConvergesWhileThreeSessionsWriteAndTruncate) {
  sql(kChurn);
  launch(kItemsAndScratch, kSmallChunks);
  std::vector<std::unique_ptr<Beside>> writers;
  for (const char* seed : {"0.1", "0.2", "0.3"}) {
    const std::string asynchronous = seed == std::string("0.3") ? "SET synchronous_commit = off; " : "";
    writers.push_back(std::make_unique<Beside>(
        postgres(), name(), "SET deadlock_timeout = '20ms'; " + asynchronous + "CALL churn(" + seed + ")"));
  }
  walrelay().wait_ready();
  for (const auto& writer : writers) EXPECT_FALSE(writer->done()) << "the load was over before anything was written";
  sql("INSERT INTO stop VALUES (1)");
  for (const auto& writer : writers) EXPECT_EQ(writer->join(), "");
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
  EXPECT_TRUE(in_step("scratch", "'scratch:' || id", "scratch:*"));
}

// More than walrelay holds back while Redis does not answer: about 10 MB.
constexpr const char* kManyItems = R"(
  CREATE TABLE items (id int PRIMARY KEY, note text, more text);
  INSERT INTO items SELECT i, 'old', repeat('x', 450) FROM generate_series(1, 20000) i;)";

// Rows that a transaction has changed but not committed while their chunk is read must not stay as the chunk saw them.
TEST_F(InitialLoadTest, TransactionsHeldOpenAcrossChunksAreSeen) {
  sql(kManyItems);
  launch_and_hold(kItems, kSmallChunks);
  PsqlSession open(postgres(), name());
  open.sql(
      "BEGIN; UPDATE items SET note = 'late' WHERE id % 7 = 0; DELETE FROM items WHERE id % 11 = 0; "
      "UPDATE items SET id = -id WHERE id % 13 = 0; INSERT INTO items VALUES (90000, 'late')");
  redis().resume();
  walrelay().wait_ready();
  EXPECT_EQ(redis().command("EXISTS", "item:90000"), "0");
  EXPECT_EQ(redis().command("HGET", "item:19999", "note"), "old");
  open.sql("COMMIT");
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
}

// A commit that waits for a standby stands in the stream and is invisible to everybody. A chunk that is opened after
// the stream has brought it would put the old row back, so it has to wait.
TEST_F(InitialLoadTest, CommitsThatSnapshotsDoNotSeeYetAreNotOverwritten) {
  sql(kManyItems);
  launch_and_hold(kItems, kSmallChunks);
  postgres().set("synchronous_standby_names", "nobody");
  Beside waiting(postgres(), name(), "UPDATE items SET note = 'new' WHERE id % 3 = 0");
  const auto hangs = [this] {
    return sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1";
  };
  EXPECT_TRUE(eventually(hangs));
  redis().resume();
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "item:19998", "note"); }, "new"));
  EXPECT_EQ(sql("SELECT count(*) FROM items WHERE note = 'new'"), "0");
  // Several chunks' time later it is still so, and the load still waits.
  const auto rows = [this] { return walrelay().metric("walrelay_received_bytes_total{slot=\"" + name() + "\"}"); };
  const auto before = rows();
  sql("SET synchronous_commit = local; INSERT INTO items VALUES (90001, 'marker')");
  EXPECT_TRUE(eventually([&] { return rows() > before && redis().command("EXISTS", "item:90001") == "1"; }));
  EXPECT_EQ(walrelay().http("/readyz").status, 503) << "the load did not wait";
  EXPECT_EQ(redis().command("HGET", "item:19998", "note"), "new");
  // The client gives up; the transaction has committed all the same.
  sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  waiting.join();
  postgres().set("synchronous_standby_names", "");
  walrelay().wait_ready();
  EXPECT_EQ(sql("SELECT count(*) FROM items WHERE note = 'new'"), "6666");
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
}

TEST_F(InitialLoadTest, SurvivesVacuumFullInTheMiddle) {
  sql(std::string(kManyItems) + "DELETE FROM items WHERE id % 2 = 0");
  launch_and_hold(kItems, kSmallChunks);
  Beside vacuum(postgres(), name(), "VACUUM FULL items");
  redis().resume();
  EXPECT_EQ(vacuum.join(), "");
  walrelay().wait_ready();
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
}

TEST_F(InitialLoadTest, GoesOnAtItsCursorAfterAKill) {
  sql("CREATE TABLE done (id int PRIMARY KEY); INSERT INTO done VALUES (1)");
  sql(kManyItems);
  launch("  - {table: done, write: {hash: {key: \"done:{id}\"}}}\n" + kItems,
         "load: {chunk_bytes: 8192, connections: 1}");
  EXPECT_TRUE(eventually([] { return std::stol(redis().command("DBSIZE")) > 3000; }));
  redis().pause();
  walrelay().kill();
  redis().resume();
  const auto there = redis().keys("item:*").size();
  ASSERT_LT(there, 18000U) << "the load was nearly over before the kill";
  sql("UPDATE items SET note = 'changed while away' WHERE id IN (1, 19999); DELETE FROM items WHERE id = 2");
  walrelay().start();
  walrelay().wait_log("resuming the interrupted load");
  walrelay().wait_ready();
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
  const auto read = walrelay().metric("walrelay_snapshot_rows_total{slot=\"" + name() + "\"}");
  ASSERT_TRUE(read);
  // The last batches before the kill are read again.
  EXPECT_LT(*read, 20000.0 - static_cast<double>(there) + 2000) << "it began again; there were " << there;
  EXPECT_EQ(walrelay().log().find("public.done"), std::string::npos) << walrelay().log();
}

TEST_F(InitialLoadTest, StartsAgainWithoutReadingAnythingTwice) {
  sql("CREATE TABLE items (id int PRIMARY KEY, note text); INSERT INTO items VALUES (1, 'a')");
  start(kItems);
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
  EXPECT_EQ(walrelay().terminate(), 0);
  sql("INSERT INTO items VALUES (2, 'b')");
  walrelay().start();
  walrelay().wait_log("streaming on from the checkpoint");
  EXPECT_TRUE(in_step("items", "'item:' || id", "item:*"));
  EXPECT_EQ(walrelay().log().find("reading table"), std::string::npos) << walrelay().log();
}

}  // namespace
}  // namespace walrelay::support
