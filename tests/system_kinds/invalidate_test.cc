// Keys that a cache loses because rows change, on real servers.
#include <random>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class InvalidateTest : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE assets (id text PRIMARY KEY, name text); CREATE TABLE pages (id int PRIMARY KEY, url text);"
        "ALTER TABLE pages REPLICA IDENTITY FULL; INSERT INTO assets SELECT n, 'old' FROM generate_series(1, 10000) n");
  }
  static void cache(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) redis().command("SET", key, "x");
  }
  static std::string left(const std::vector<std::string>& keys) {
    std::string all;
    for (const std::string& key : keys) {
      if (redis().command("EXISTS", key) == "1") all += (all.empty() ? "" : " ") + key;
    }
    return all;
  }
  double metric(const std::string& which, const std::string& label = "") {
    return walrelay().metric("walrelay_" + which, label).value_or(-1);
  }
};

TEST_F(InvalidateTest, KeysOfOldRowsAndNewOnes) {
  start("  - {table: pages, let: {u: \"lower(url)\"}, write: {invalidate: {key: \"page:{u}\"}}}\n");
  cache({"page:/a", "page:/b", "page:/c", "page:/d"});
  sql("INSERT INTO pages VALUES (1, '/A'); UPDATE pages SET url = '/B'; DELETE FROM pages");
  EXPECT_TRUE(eventually_equal([] { return left({"page:/a", "page:/b", "page:/c", "page:/d"}); }, "page:/c page:/d"));
  sql("TRUNCATE pages");
  EXPECT_TRUE(eventually_equal([] { return left({"page:/c", "page:/d"}); }, ""));
}

// What users write into a row is no pattern, and neither is what stands in a key.
TEST_F(InvalidateTest, GlobCharactersAreText) {
  start(
      "  - {table: assets, let: {low: \"glob_escape(lower(id))\"}, write: [{invalidate: {pattern: "
      "\"list:{id}:*\"}}, {invalidate: {pattern: \"low:{low}:*\"}}]}\n");
  const std::vector<std::string> odd = {"*", "a?", "[a-z]", "\\", "^b", "{c}", "d\\*"};
  std::vector<std::string> meant, others = {"list:x:1", "list::1", "list:ab:1", "list:a:1", "low:ab:1", "low:dx:1"};
  for (const std::string& id : odd) {
    meant.push_back("list:" + id + ":1");
    meant.push_back("low:" + id + ":[2]");
    others.push_back("list:x" + id + ":1");
  }
  cache(meant);
  cache(others);
  for (const std::string& id : odd) sql("INSERT INTO assets VALUES ($q$" + id + "$q$)");
  EXPECT_TRUE(eventually_equal([&] { return left(meant); }, ""));
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(left(others).size(), [&] {
    std::size_t size = 0;
    for (const auto& key : others) size += key.size() + 1;
    return size - 1;
  }());
}

TEST_F(InvalidateTest, TenThousandUpdatesAreOnePass) {
  start(
      "  - {table: assets, write: [{invalidate: {pattern: \"listings*\"}}, {invalidate: {pattern: \"*:{id}:tmp\", on: "
      "delete}}]}\n");
  EXPECT_TRUE(caught_up());
  cache({"listings|q:1", "listings|q:2", "other"});
  redis().command("CONFIG", "RESETSTAT");
  const double batches = metric("redis_batches_total");
  sql("UPDATE assets SET name = 'new'");
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(left({"listings|q:1", "listings|q:2", "other"}), "other");
  EXPECT_GE(metric("invalidation_scans_total"), 1);
  EXPECT_LE(metric("invalidation_scans_total"), metric("redis_batches_total") - batches);
  EXPECT_LE(metric("invalidation_scans_total"), 2) << "one transaction";
  EXPECT_EQ(metric("invalidations_total", "kind=\"pattern\",mapping=\"assets\""), 10000);
  EXPECT_EQ(metric("invalidations_total", "mapping=\"\""), 0) << "the application has asked for nothing";
  EXPECT_EQ(metric("invalidated_keys_total"), 2);
  EXPECT_EQ(redis().command("INFO", "commandstats").find("cmdstat_keys:"), std::string::npos);
}

// Thousands of patterns at once are one pass, too.
TEST_F(InvalidateTest, APatternForEachRow) {
  for (int i = 0; i < 300; ++i) cache({"bundle:" + std::to_string(i) + ":a", "bundle:x" + std::to_string(i) + ":a"});
  start("  - {table: assets, write: {invalidate: {pattern: \"bundle:{id}:*\"}}}\n");
  sql("UPDATE assets SET name = 'new'");
  EXPECT_TRUE(eventually_equal([] { return redis().keys("bundle:*").size(); }, 301U)) << "bundle:0: has no row";
  EXPECT_TRUE(caught_up());
  EXPECT_LE(metric("invalidation_scans_total"), 3);
}

TEST_F(InvalidateTest, ALoadAndARebuildInvalidateNothing) {
  cache({"asset:1", "listings"});
  start(
      "  - {name: m, table: assets, write: [{hash: {key: \"row:{id}\"}}, {invalidate: {key: \"asset:{id}\"}}, "
      "{invalidate: {pattern: \"listing*\"}}]}\n");
  EXPECT_TRUE(eventually_equal([] { return redis().keys("row:*").size(); }, 10000U));
  EXPECT_EQ(walrelay().command({"rebuild", "--mapping", "m"}).status, 0);
  EXPECT_EQ(walrelay().command({"verify", "--mapping", "m"}).status, 0);
  EXPECT_EQ(left({"asset:1", "listings"}), "asset:1 listings");
}

// A reader that has read the old row puts it back after the removal; it is removed once more, by whoever runs then.
TEST_F(InvalidateTest, SecondRemovalAlsoByTheNextOwner) {
  start(
      "  - {table: assets, write: [{invalidate: {key: \"asset:{id}\", again_after: 3s}}, {invalidate: {pattern: "
      "\"listings*\", again_after: 3s}}]}\n");
  cache({"asset:1", "listings:1"});
  sql("UPDATE assets SET name = 'new' WHERE id = '1'");
  EXPECT_TRUE(eventually_equal([] { return left({"asset:1", "listings:1"}); }, ""));
  EXPECT_TRUE(caught_up());
  cache({"asset:1", "listings:1"});
  walrelay().kill();
  EXPECT_EQ(redis().command("ZCARD", "walrelay:{" + name() + "}:again"), "2");
  EXPECT_EQ(left({"asset:1", "listings:1"}), "asset:1 listings:1");
  walrelay().start();
  EXPECT_TRUE(eventually_equal([] { return left({"asset:1", "listings:1"}); }, ""));
  EXPECT_TRUE(eventually_equal([&] { return redis().command("EXISTS", "walrelay:{" + name() + "}:again"); }, "0"));
}

// Killed at awkward places, at every one of the first: what a transaction asked for is gone when its position is there.
TEST_F(InvalidateTest, NothingIsForgottenByKills) {
  constexpr std::uint64_t kSeed = 11;
  std::mt19937_64 random(kSeed);
  start("  - {table: assets, write: [{invalidate: {key: \"asset:{id}\"}}, {invalidate: {pattern: \"*:of:{id}:?\"}}]}\n",
        "flush: {interval: 0}\nack: {hold: 0}");
  int killed = 0;
  for (int round = 0; round < 25; ++round) {
    const std::string id = std::to_string(1 + random() % 9000);
    const std::vector<std::string> keys = {"asset:" + id, "a:of:" + id + ":1", "b:of:" + id + ":2"};
    walrelay().set_environment({{"WALRELAY_CRASH_AT", std::to_string(20 + round + random() % 3)}});
    if (walrelay().running()) walrelay().kill();
    cache(keys);
    cache({"a:of:" + id + ":12"});
    sql("UPDATE assets SET name = 'r' WHERE id = '" + id + "'");
    walrelay().start();
    const auto done = [&] { return !walrelay().running() || left(keys).empty(); };
    EXPECT_TRUE(eventually(done)) << "round " << round << walrelay().log();
    if (!walrelay().running()) {
      ++killed;
      walrelay().set_environment({});
      walrelay().start();
    }
    EXPECT_TRUE(eventually_equal([&] { return left(keys); }, "")) << "seed " << kSeed << ", round " << round;
    EXPECT_EQ(left({"a:of:" + id + ":12"}), "a:of:" + id + ":12");
  }
  EXPECT_GT(killed, 5);
}

// The position is there when the keys are gone, not before.
TEST_F(InvalidateTest, WhoWaitsForAPositionFindsNothingOld) {
  start("  - {table: assets, write: {invalidate: {pattern: \"listings*\"}}}\n");
  for (int i = 0; i < 50; ++i) {
    cache({"listings:1", "listings:2"});
    const std::string position = sql("UPDATE assets SET name = 'w' WHERE id = '1'; SELECT pg_current_wal_insert_lsn()");
    const auto waited = walrelay().command({"wait", "--lsn", position.substr(position.rfind('\n') + 1)});
    ASSERT_EQ(waited.status, 0) << waited.output << waited.errors;
    ASSERT_EQ(left({"listings:1", "listings:2"}), "") << "round " << i;
  }
}

}  // namespace
}  // namespace walrelay::support
