// examples/hybrid: a cache that is refreshed and invalidated, and a lineage graph (H-A1, H-A2; H-A3 is in
// acceptance_hybrid_outage_test.cc).
#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {
namespace {

constexpr const char* kListing = "'cache:listings|q:rain|page:1|datasetId:undefined|limit:50'";

class AcceptanceHybrid : public Acceptance {
 protected:
  AcceptanceHybrid() : Acceptance("hybrid") {}

  void rainfall() const {
    sql("INSERT INTO producers VALUES ('pr_1','key-1');"
        "INSERT INTO assets VALUES ('AA11','ds1','pr_1','Rainfall',NULL,'ff00',NULL,123456789012,"
        "'{\"license\":\"CC-BY\",\"classification\":\"public\"}','2026-01-01 00:00:00+00','2026-01-01 00:00:00+00')");
  }
  // What the application has put there.
  void cache() {
    for (const std::string& command :
         {std::string("SET cache:asset:aa11 '{\"name\":\"Rainfall\"}' PX 300000"),
          "SET " + std::string(kListing) + " [] PX 180000", std::string("SET cache:asset:bb22 x"),
          std::string("SET sess:1 y"), std::string("SET bundle:aa11:8 z PX 60000")}) {
      EXPECT_TRUE(answers(command, "OK"));
    }
  }
  void rename() const {
    sql("UPDATE assets SET name='Rainfall v2', updated_at='2026-02-05 10:00:00.5+00' WHERE version_id='AA11';");
  }
  void expect_invalidated() {
    EXPECT_TRUE(answers("EXISTS " + std::string(kListing) + " bundle:aa11:8", "0"));
    EXPECT_TRUE(answers("EXISTS cache:asset:bb22 sess:1", "2"));
  }
  // No row of ours stands behind it.
  static void tidy_up() { redis().command("DEL", "cache:asset:bb22", "sess:1"); }
  static long calls(const std::string& command) {
    const std::string text = redis().command("INFO", "commandstats");
    const auto at = text.find("cmdstat_" + command + ":calls=");
    return at == std::string::npos ? 0 : std::stol(text.substr(text.find('=', at) + 1));
  }
};

TEST_P(AcceptanceHybrid, HA1ValuesAndPatterns) {
  rainfall();
  run();
  EXPECT_TRUE(caught_up());
  cache();
  interrupt();
  rename();
  expect_invalidated();
  EXPECT_TRUE(json_is("cache:asset:aa11", R"('{"version_id":"AA11","dataset_id":"ds1","producer_id":"pr_1",
    "name":"Rainfall v2","description":null,"content_hash":"ff00","mime_type":null,"size_bytes":"123456789012",
    "policy_meta":{"license":"CC-BY","classification":"public"},"updated_at":"2026-02-05T10:00:00.500Z",
    "created_at":"2026-01-01T00:00:00.000Z"}')"));
  const long left = number("PTTL cache:asset:aa11");
  EXPECT_GT(left, 295000);
  EXPECT_LE(left, 300000);
  tidy_up();
  expect_verified();
}

TEST_P(AcceptanceHybrid, HA1KeysAndPatterns) {
  rainfall();
  run({{"CACHE_ASSET_VALUES", "false"}, {"CACHE_ASSET_INVALIDATION", "true"}});
  EXPECT_TRUE(caught_up());
  cache();
  interrupt();
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11", "1"));
  rename();
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11", "0"));
  // A reader that had missed puts the old row back: it is removed once more.
  redis().command("SET", "cache:asset:aa11", "old");
  EXPECT_TRUE(answers("EXISTS cache:asset:aa11", "0")) << "again_after";
  expect_invalidated();
  tidy_up();
  expect_verified();
}

// "At most one SCAN for the listings in each batch" has no metric of its own yet: Redis' own counts say that ten
// thousand rows did not mean ten thousand searches.
TEST_P(AcceptanceHybrid, HA1TenThousandUpdatesSearchSeldom) {
  rainfall();
  sql("INSERT INTO assets (version_id, content_hash) SELECT 'BULK' || n, 'ff' FROM generate_series(1, 10000) n");
  run();
  EXPECT_TRUE(caught_up());
  cache();
  interrupt();
  EXPECT_TRUE(answers("EXISTS " + std::string(kListing), "1"));
  redis().command("CONFIG", "RESETSTAT");
  sql("UPDATE assets SET name = 'renamed' WHERE version_id LIKE 'BULK%'");
  EXPECT_TRUE(answers("EXISTS " + std::string(kListing), "0"));
  EXPECT_TRUE(caught_up());
  EXPECT_LT(calls("scan"), 1000);
  EXPECT_EQ(calls("keys"), 0);
  EXPECT_TRUE(answers("EXISTS bundle:aa11:8 sess:1", "2")) << "bundles of other assets";
  redis().command("DEL", "cache:asset:aa11");  // what cache() put there is no value of ours
  tidy_up();
  expect_verified();
}

TEST_P(AcceptanceHybrid, HA2LineageGraphWithDuplicates) {
  sql("INSERT INTO edges VALUES ('cc33','aa11')");
  run();
  sql("INSERT INTO ol_edges VALUES ('e1','prod','raw','clean','r1',1),('e2','prod','raw','clean','r2',2);");
  EXPECT_TRUE(answers("SMEMBERS ol:ns:prod:down:raw", "clean"));
  EXPECT_TRUE(answers("SMEMBERS ol:ns:prod:up:clean", "raw"));
  interrupt();
  sql("DELETE FROM ol_edges WHERE edge_id='e1';");
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(answers("SISMEMBER ol:ns:prod:down:raw clean", "1")) << "e2 supports it still";
  sql("DELETE FROM ol_edges WHERE edge_id='e2';");
  EXPECT_TRUE(answers("EXISTS ol:ns:prod:down:raw", "0"));

  const std::string event = "'2026-02-05T10:00:00Z','prod','tidy','r1','COMPLETE','{\"eventType\":\"COMPLETE\"}','h1'";
  sql("INSERT INTO ol_events VALUES ('ev1'," + event + ",1);");
  sql("INSERT INTO ol_events VALUES ('ev2'," + event + ",2) ON CONFLICT DO NOTHING;");
  EXPECT_TRUE(answers("ZCARD ol:ns:prod:events:by_time", "1"));
  EXPECT_TRUE(answers("ZSCORE ol:ns:prod:events:by_time h1", "1770285600000"));
  const long left = number("PTTL ol:ns:prod:event:h1");
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 120000);

  EXPECT_TRUE(answers("SMEMBERS edges:cc33", "aa11"));
  EXPECT_TRUE(answers("SET 'ol:cache:lineage:dataset:prod:cc33|3|both|json' {}", "OK"));
  Onlooker onlooker(redis().socket_path(), [](RedisClient& reader) -> std::optional<std::string> {
    return reader.command("SMEMBERS", "edges:cc33").empty() ? "the set is empty" : "";
  });
  sql("BEGIN; DELETE FROM edges WHERE child_version_id='cc33'; "
      "INSERT INTO edges VALUES ('cc33','aa11') ON CONFLICT DO NOTHING; COMMIT;");
  EXPECT_TRUE(answers("EXISTS 'ol:cache:lineage:dataset:prod:cc33|3|both|json'", "0"));
  interrupt();  // the last transactions come again
  expect_unseen(onlooker);
  EXPECT_TRUE(answers("SMEMBERS edges:cc33", "aa11"));
  EXPECT_TRUE(answers("EXISTS ol:ns:prod:down:raw ol:ns:prod:up:clean", "0"));
  EXPECT_TRUE(answers("ZCARD ol:ns:prod:events:by_time", "1"));
  expect_verified();
}

// The kill in the midst of edges that share a member: what comes again is not counted again.
TEST_P(AcceptanceHybrid, HA2ReplayedEdgesAreNotCountedTwice) {
  run();
  sql("INSERT INTO ol_edges VALUES ('e1','prod','raw','clean','r1',1)");
  interrupt();
  sql("INSERT INTO ol_edges VALUES ('e2','prod','raw','clean','r2',2)");
  interrupt();
  sql("DELETE FROM ol_edges WHERE edge_id='e1'");
  interrupt();
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(answers("SMEMBERS ol:ns:prod:down:raw", "clean"));
  sql("DELETE FROM ol_edges WHERE edge_id='e2'");
  EXPECT_TRUE(answers("EXISTS ol:ns:prod:down:raw ol:ns:prod:up:clean", "0"));
  expect_verified();
}

// Producers, prices, rules and runs are removed where the application cached them; policies and receipts are values;
// the audit is a stream.
TEST_P(AcceptanceHybrid, TheOtherTables) {
  rainfall();
  run();
  EXPECT_TRUE(caught_up());
  sql("INSERT INTO policies VALUES ('pol-1','Open data',true,'{}'); INSERT INTO price_rules (producer_id, satoshis) "
      "VALUES ('pr_1', 5); INSERT INTO prices VALUES ('AA11', 500);"
      "INSERT INTO receipts VALUES ('rc-1','AA11','pending',NULL,500,1,NULL,now() + interval '1 minute')");
  EXPECT_TRUE(answers("EXISTS cache:policy:pol-1 cache:receipt:rc-1", "2"));
  const long left = number("PTTL cache:receipt:rc-1");
  EXPECT_GT(left, 30000);
  EXPECT_LE(left, 60000);
  const std::string cached =
      "cache:producer:pr_1 cache:price:aa11 cache:policy_runs:AA11 cache:price_rules:producer:pr_1 "
      "cache:bundle:neg:bb22";
  EXPECT_TRUE(
      answers("MSET cache:producer:pr_1 x cache:price:aa11 x cache:policy_runs:AA11 x "
              "cache:price_rules:producer:pr_1 x cache:bundle:neg:bb22 x",
              "OK"));
  interrupt();
  sql("UPDATE producers SET website = 'https://weather.example'; UPDATE prices SET satoshis = 600;"
      "INSERT INTO policy_runs (run_id, policy_id, version_id, decision) VALUES ('run-1','pol-1','AA11','allow');"
      "DELETE FROM price_rules; INSERT INTO assets (version_id, content_hash) VALUES ('BB22','ff01');"
      "INSERT INTO lineage_event_audit VALUES ('h1','2026-02-05 10:00:00+00','prod','tidy','r1','{\"a\":1}')");
  EXPECT_TRUE(answers("EXISTS " + cached, "0"));
  EXPECT_TRUE(answers("XLEN ol:audit:prod", "1"));
  sql("INSERT INTO ol_datasets VALUES ('d1','prod','raw','{\"rows\":1}',1);"
      "INSERT INTO ol_jobs VALUES ('j1','prod','tidy','{}',1769000000000);"
      "INSERT INTO ol_runs VALUES ('1','prod','tidy','r1','RUNNING','2026-02-05T10:00:00Z',NULL,'{}',1769000000000)");
  EXPECT_TRUE(answers("HGET ol:ns:prod:ds:raw facets", "{\"rows\": 1}"));
  EXPECT_TRUE(answers("SMEMBERS ol:ns:prod:ds:all", "raw"));
  EXPECT_TRUE(answers("ZRANGE ol:ns:prod:jobs:by_updated 0 -1", "tidy"));
  EXPECT_TRUE(
      answers("HMGET ol:ns:prod:run:r1 runId state startTime endTime", "r1\nRUNNING\n2026-02-05T10:00:00Z\n(nil)"));
  interrupt();
  EXPECT_TRUE(answers("XLEN ol:audit:prod", "1")) << "no entry twice";
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceHybrid, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
