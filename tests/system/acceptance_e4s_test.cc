// examples/e4s: is there data of a meter on a day, and which day is the next one with data? (E-A1, E-A2; E-A3 is in
// acceptance_e4s_rebuild_test.cc)
#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {
namespace {

class AcceptanceE4s : public Acceptance {
 protected:
  AcceptanceE4s() : Acceptance("e4s") {}

  void mark() const {
    sql("INSERT INTO e4s_index.meter_index (index_name,entity_id,granularity,epoch_value,partition_num) VALUES"
        " ('meter-data',12345,'DAY',19723,109),('meter-data',12345,'DAY',19724,109),('meter-data',12345,'DAY',19800,"
        "110),"
        " ('meter-data',12345,'MONTH',648,108),('meter-data',12345,'YEAR',54,54) ON CONFLICT DO NOTHING;");
  }
  void mark_again() const {  // no event
    sql("INSERT INTO e4s_index.meter_index (index_name,entity_id,granularity,epoch_value,partition_num) VALUES"
        " ('meter-data',12345,'DAY',19723,109) ON CONFLICT (index_name,entity_id,granularity,epoch_value) DO NOTHING;");
  }
};

// "Within 100 ms and a round trip" is measured by scripts/bench, on a build without sanitizers; here it is waited for.
TEST_P(AcceptanceE4s, EA1MarkExistsPreviousNext) {
  run();
  mark();
  interrupt();
  mark_again();
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:12345:109 103", "1"));
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:12345:109 105", "0"));
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:12345:110 0", "1"));
  EXPECT_TRUE(answers("BITCOUNT e4s:bits:meter-data:day:12345:109", "2"));
  EXPECT_TRUE(answers("ZRANGE e4s:nav:meter-data:day:12345 (19800 -inf BYSCORE REV LIMIT 0 1", "19724"));
  EXPECT_TRUE(answers("ZRANGE e4s:nav:meter-data:day:12345 (19724 +inf BYSCORE LIMIT 0 1", "19800"));
  EXPECT_TRUE(answers("ZSCORE e4s:nav:meter-data:month:12345 648", "648"));
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:year:12345:54 0", "1"));
  EXPECT_TRUE(hex_is("e4s:index:meter-data:day:12345:109", "3a3000000100000000000100100000000b4d0c4d"));
  EXPECT_TRUE(answers("SISMEMBER e4s:index:registry meter-data", "1"));
  EXPECT_TRUE(answers("SMEMBERS e4s:entities:meter-data", "12345"));
  EXPECT_TRUE(caught_up());  // also with the mark that was no news
  expect_verified();
}

TEST_P(AcceptanceE4s, EA2DeleteOneDeleteAnIndexTruncate) {
  mark();
  sql("INSERT INTO e4s_index.meter_index (index_name,entity_id,granularity,epoch_value,partition_num) VALUES"
      " ('billing',12345,'DAY',19723,109)");
  run();
  EXPECT_TRUE(members_are("SMEMBERS e4s:index:registry", {"meter-data", "billing"}));
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:12345:109 104", "1"));

  sql("DELETE FROM e4s_index.meter_index WHERE index_name='meter-data' AND entity_id=12345 AND granularity='DAY' AND "
      "epoch_value=19724;");
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:12345:109 104", "0"));
  EXPECT_TRUE(answers("BITCOUNT e4s:bits:meter-data:day:12345:109", "1"));
  EXPECT_TRUE(answers("ZSCORE e4s:nav:meter-data:day:12345 19724", "(nil)"));
  EXPECT_TRUE(hex_is("e4s:index:meter-data:day:12345:109", "3a3000000100000000000000100000000b4d"));
  EXPECT_TRUE(answers("SISMEMBER e4s:index:registry meter-data", "1"));

  interrupt();
  sql("DELETE FROM e4s_index.meter_index WHERE index_name='meter-data';");
  EXPECT_TRUE(
      answers("EXISTS e4s:bits:meter-data:day:12345:109 e4s:bits:meter-data:day:12345:110 "
              "e4s:nav:meter-data:day:12345 e4s:index:meter-data:day:12345:109",
              "0"));
  EXPECT_TRUE(answers("SMEMBERS e4s:index:registry", "billing"));

  redis().command("SADD", "e4s:index:registry", "empty-idx");  // by the application: an index without rows
  redis().command("SET", "sess:1", "somebody");
  sql("TRUNCATE e4s_index.meter_index;");
  EXPECT_TRUE(answers("SISMEMBER e4s:index:registry billing", "0"));
  EXPECT_TRUE(answers("SISMEMBER e4s:index:registry empty-idx", "1"));
  EXPECT_TRUE(answers("EXISTS sess:1", "1"));
  EXPECT_TRUE(keys_are("e4s:bits:*", 0));
  EXPECT_TRUE(keys_are("e4s:nav:*", 0));
  expect_verified();
}

// E2: switched off it ends at once and cleanly, and has touched neither server.
TEST_P(AcceptanceE4s, SwitchedOffNothingIsWritten) {
  mark();
  launch_example({{"INDEX_PERSISTENCE_ENABLED", "false"}});
  EXPECT_EQ(walrelay().wait(), 0);
  EXPECT_EQ(keys(), std::vector<std::string>());
  EXPECT_EQ(sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + name() + "'"), "0");
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceE4s, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
