// A mapping's reindex: every form that is taken, and each mistake with its place.
#include "config/reindex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::load;
using testing::mistakes;

std::string with(const std::string& reindex) {
  return "source: {url: postgres://h/d}\nmappings:\n  - table: t\n    write: {hash: {key: k}}\n    reindex: " +
         reindex + "\n";
}

TEST(Reindex, EveryForm) {
  const Config config = load(with(R"(
      partition: partition_num
      granularity: {column: gran, default: DAY}
      day: {column: "the day"}
      number: {column: n, default: 7}
      status_table: s.reindex_status)"));
  const Mapping& mapping = config.mappings.at(0);
  ASSERT_EQ(mapping.reindex.size(), 4U);
  EXPECT_EQ(mapping.reindex[0].name, "partition");
  EXPECT_EQ(mapping.reindex[0].column, "partition_num");
  EXPECT_EQ(mapping.reindex[0].default_value, std::nullopt);
  EXPECT_EQ(mapping.reindex[1].name, "granularity");
  EXPECT_EQ(mapping.reindex[1].column, "gran");
  EXPECT_EQ(mapping.reindex[1].default_value, "DAY");
  EXPECT_EQ(mapping.reindex[2].column, "the day");
  EXPECT_EQ(mapping.reindex[2].default_value, std::nullopt);
  EXPECT_EQ(mapping.reindex[3].default_value, "7");
  EXPECT_EQ(mapping.reindex_status_table, "s.reindex_status");
}

TEST(Reindex, VariablesAreReplaced) {
  const Config config = load(with("{part: \"${COLUMN}\", g: {column: g, default: \"${G:-DAY}\"}}"), {{"COLUMN", "p"}});
  EXPECT_EQ(config.mappings.at(0).reindex.at(0).column, "p");
  EXPECT_EQ(config.mappings.at(0).reindex.at(1).default_value, "DAY");
}

TEST(Reindex, WithoutItNothingIsDeclared) {
  const Config config = load("source: {url: postgres://h/d}\nmappings: [{table: t, write: {hash: {key: k}}}]\n");
  EXPECT_THAT(config.mappings.at(0).reindex, IsEmpty());
  EXPECT_EQ(config.mappings.at(0).reindex_status_table, "");
}

TEST(Reindex, EveryMistakeHasItsPlace) {
  struct Row {
    std::string reindex, place, says;
  };
  for (const Row& row :
       std::vector<Row>{{"partition_num", "5:14", "\"reindex\" must be a map of parameters and their columns"},
                        {"[a, b]", "5:14", "\"reindex\" must be a map of parameters and their columns"},
                        {"", "5:5", "\"reindex\" must be a map of parameters and their columns"},
                        {"{partition: [a]}", "5:26", "reindex.partition"},
                        {"{partition: ''}", "5:26", "\"reindex.partition\" must not be empty"},
                        {"{partition: {column: ''}}", "5:35", "\"reindex.partition.column\" must not be empty"},
                        {"{partition: {column: [a]}}", "5:35", "reindex.partition.column"},
                        {"{partition: {default: DAY}}", "5:26", "\"reindex.partition\" names no column"},
                        {"{partition: {}}", "5:26", "\"reindex.partition\" names no column"},
                        {"{partition: {colum: p, column: q}}", "5:27", "did you mean \"column\""},
                        {"{partition: {column: p, default: [1]}}", "5:47", "reindex.partition.default"},
                        {"{status_table: ''}", "5:29", "\"reindex.status_table\" must not be empty"},
                        {"{status_table: {a: b}}", "5:29", "reindex.status_table"},
                        {"{partition: p, partition: q}", "5:29", "already"},
                        {"{a: p, b: p}", "5:21", "column \"p\""},
                        {"{a: p, b: {column: p, default: 1}}", "5:21", "column \"p\""},
                        {"{table: p}", "5:15", "\"table\""},
                        {"{dry_run: p}", "5:15", "\"dry_run\""},
                        {"{wait: p}", "5:15", "\"wait\""},
                        {"{where.x: p}", "5:15", "\"where.x\""},
                        {"{status: p}", "5:15", "\"status\""},
                        {"{processedRecords: p}", "5:15", "\"processedRecords\""}}) {
    const auto found = mistakes(with(row.reindex));
    ASSERT_EQ(found.size(), 1U) << row.reindex << ::testing::PrintToString(found);
    EXPECT_THAT(found[0], ::testing::StartsWith("w.yaml:" + row.place + ": ")) << row.reindex;
    EXPECT_THAT(found[0], HasSubstr(row.says)) << row.reindex;
  }
}

TEST(Reindex, AllMistakesAtOnce) { EXPECT_EQ(mistakes(with("{a: '', b: {colum: x}, status_table: [x]}")).size(), 4U); }

}  // namespace
}  // namespace walrelay::config
