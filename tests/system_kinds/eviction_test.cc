// Where Redis may evict keys: those that rows share are not begun again with a part of their members.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class EvictionTest : public EndToEnd {
 protected:
  void TearDown() override {
    redis().command("CONFIG", "SET", "maxmemory-policy", "noeviction");
    EndToEnd::TearDown();
  }
};

TEST_F(EvictionTest, SharedKeysAreRefusedUnlessTheMappingTakesIt) {
  sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  redis().command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  const std::string set = "write: {set: {key: s, member: \"{id}\"}}";
  launch("  - {name: ids, table: t, " + set + "}\n");
  EXPECT_EQ(walrelay().wait(), 78);
  EXPECT_NE(walrelay().log().find("a key that rows share (mapping ids) could be evicted"), std::string::npos);
  EXPECT_NE(walrelay().log().find("allow_eviction: true"), std::string::npos);
  EXPECT_EQ(walrelay().command({"check"}).status, 78);
  start("  - {table: t, allow_eviction: true, " + set + "}\n");
  EXPECT_TRUE(eventually_equal([] { return redis().command("SMEMBERS", "s"); }, "1"));
  walrelay().terminate();
  // Keys of single rows come back whole.
  start("  - {table: t, write: {hash: {key: \"h:{id}\"}}}\n");
}

}  // namespace
}  // namespace walrelay::support
