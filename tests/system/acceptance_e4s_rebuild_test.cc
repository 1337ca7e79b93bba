// examples/e4s: Redis is lost, and the index is read again while marks come in (E-A3).
#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {
namespace {

class AcceptanceE4sRebuild : public Acceptance {
 protected:
  AcceptanceE4sRebuild() : Acceptance("e4s") {}

  // In the routes an index is a mapping. One of which nobody has asked anything:
  static constexpr const char* kFresh =
      "  - {name: fresh, table: public.fresh, write: {hash: {key: \"fresh:{id}\"}}}\n";

  void fill() const {
    sql("CREATE TABLE fresh (id int PRIMARY KEY);"
        "INSERT INTO e4s_index.meter_index (index_name,entity_id,granularity,epoch_value,partition_num)"
        " SELECT 'meter-data', e, 'DAY', d, d/180 FROM generate_series(1,200) e, generate_series(20000,20364) d;");
  }
  // Of entities 1 ... 500, one by one.
  [[nodiscard]] std::string marks() const {
    return "DO $$ BEGIN FOR e IN 1..500 LOOP "
           "INSERT INTO e4s_index.meter_index (index_name,entity_id,granularity,epoch_value,partition_num)"
           " VALUES ('meter-data', e, 'DAY', 20365, 113); COMMIT; END LOOP; END $$";
  }
  // A walrelay that has just lost Redis finds its feet first; and the loss itself may have begun the job already.
  void ask_for_reindex() {
    JobAnswer begun;
    EXPECT_TRUE(eventually([&] {
      begun = post("/api/v1/admin/index/meter-data/reindex");
      return begun.http() == 202 || begun.http() == 409;
    })) << begun.body();
    // What was asked for stands in Redis; from here on a crash does not lose it.
    EXPECT_TRUE(eventually([&] {
      const std::string jobs = redis().command("HVALS", "walrelay:{" + name() + "}:jobs");
      return jobs.find("RUNNING") != std::string::npos || jobs.find("COMPLETED") != std::string::npos;
    }));
  }
};

TEST_P(AcceptanceE4sRebuild, EA3RedisIsLostAndReadAgainUnderLoad) {
  fill();
  run({}, kFresh);
  EXPECT_EQ(get("/api/v1/admin/index/fresh/reindex/status").text("status"), "NOT_STARTED");
  redis().flush();
  Beside writer(postgres(), name(), marks());
  ask_for_reindex();
  interrupt();
  const JobAnswer done = finished("meter-data", "", seconds(120));
  EXPECT_EQ(writer.join(), "");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("totalRecords"), done.text("processedRecords"));
  EXPECT_GE(std::stol(done.text("totalRecords")), 73000);
  EXPECT_LE(std::stol(done.text("totalRecords")), 73500);
  EXPECT_EQ(done.text("errorMessage"), "null");

  EXPECT_TRUE(caught_up(seconds(60)));
  EXPECT_TRUE(keys_are("e4s:bits:meter-data:day:*", 900));
  EXPECT_TRUE(answers("BITCOUNT e4s:bits:meter-data:day:7:112", "180"));
  EXPECT_TRUE(answers("ZCARD e4s:nav:meter-data:day:7", "366"));
  EXPECT_TRUE(answers("ZCARD e4s:nav:meter-data:day:450", "1"));
  expect_verified();
}

TEST_P(AcceptanceE4sRebuild, EA3APartitionIsReadAgain) {
  fill();
  run({}, kFresh);
  EXPECT_TRUE(caught_up(seconds(60)));
  redis().command("DEL", "e4s:bits:meter-data:day:7:112");
  // Bits that no row has set: in the neighbours they show whether anybody was there.
  redis().command("SETBIT", "e4s:bits:meter-data:day:7:111", "5", "1");
  redis().command("SETBIT", "e4s:bits:meter-data:day:7:113", "30", "1");
  interrupt();
  const JobAnswer done = post("/api/v1/admin/index/meter-data/reindex/partition?partition=112&granularity=DAY");
  EXPECT_EQ(done.http(), 200) << done.body();
  EXPECT_EQ(done.text("granularity"), "DAY");
  EXPECT_EQ(done.text("partition"), "112");
  EXPECT_EQ(done.text("totalRecords"), "36000") << done.body();
  EXPECT_TRUE(answers("BITCOUNT e4s:bits:meter-data:day:7:112", "180"));
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:7:111 5", "1"));
  EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:7:113 30", "1"));
  EXPECT_TRUE(
      eventually_equal([&] { return sql("SELECT status, granularity, partition_num FROM e4s_index.reindex_status"); },
                       "COMPLETED|DAY|112"));

  EXPECT_EQ(post("/api/v1/admin/index/nope/reindex").http(), 404);
  EXPECT_EQ(get("/api/v1/admin/index/fresh/reindex/status").text("status"), "NOT_STARTED");
  redis().command("SETBIT", "e4s:bits:meter-data:day:7:111", "5", "0");
  redis().command("SETBIT", "e4s:bits:meter-data:day:7:113", "30", "0");
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceE4sRebuild, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
