// A job as JSON: every field comes back, and people read times, rates and the words that they asked with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sidecar/job.h"

namespace walrelay::sidecar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t kNow = 1767225600000000;  // 2026-01-01T00:00:00Z

Job job(const std::string& mapping, std::map<std::string, std::string> where = {}, const std::string& table = "") {
  Job out;
  out.mapping = mapping;
  out.where = std::move(where);
  out.table = table;
  return out;
}

Job every_field() {
  Job full = job("m \"x\"\n\xc3\xa9", {{"part num", "1\\2"}, {"gran", "DAY"}}, "s.t");
  full.kind = JobKind::verify;
  full.asked = {{"partition", "12"}, {"granularity", "DAY"}};
  full.dry_run = full.repair = full.bad_request = true;
  full.sample = 12.5;
  full.status = JobStatus::failed;
  full.phase = JobPhase::sweeping;
  full.total = 18446744073709551615U;
  full.processed = 10;
  full.removed = 9;
  full.undecided = 8;
  full.repaired = 7;
  full.moving = 6;
  full.found = {{"missing", 5}, {"stale", 4}};
  full.differences = {{"stale", "user:1", {"a", "b"}}, {"missing", "user:2", {}}};
  full.started_us = kNow + 1;
  full.completed_us = kNow + 1234567;
  full.error = "it \"failed\"\t\\";
  full.tables_done = {"public.a", "s.\"b"};
  full.examples = {"user:7", "{x}\n"};
  return full;
}

TEST(JobJson, EveryFieldComesBack) {
  const Job full = every_field();
  const auto back = job_from_json(to_json(full, kNow));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->kind, full.kind);
  EXPECT_EQ(back->mapping, full.mapping);
  EXPECT_EQ(back->table, full.table);
  EXPECT_EQ(back->where, full.where);
  EXPECT_EQ(back->asked, full.asked);
  EXPECT_EQ(back->dry_run, full.dry_run);
  EXPECT_EQ(back->repair, full.repair);
  EXPECT_EQ(back->sample, full.sample);
  EXPECT_EQ(back->status, full.status);
  EXPECT_EQ(back->phase, full.phase);
  EXPECT_EQ(back->total, full.total);
  EXPECT_EQ(back->processed, full.processed);
  EXPECT_EQ(back->removed, full.removed);
  EXPECT_EQ(back->undecided, full.undecided);
  EXPECT_EQ(back->repaired, full.repaired);
  EXPECT_EQ(back->moving, full.moving);
  EXPECT_EQ(back->found, full.found);
  ASSERT_EQ(back->differences.size(), 2U);
  EXPECT_EQ(back->differences[0].kind, "stale");
  EXPECT_EQ(back->differences[0].key, "user:1");
  EXPECT_THAT(back->differences[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(back->differences[1].fields, IsEmpty());
  EXPECT_EQ(back->started_us, full.started_us);
  EXPECT_EQ(back->completed_us, full.completed_us);
  EXPECT_EQ(back->error, full.error);
  EXPECT_EQ(back->bad_request, full.bad_request);
  EXPECT_EQ(back->tables_done, full.tables_done);
  EXPECT_EQ(back->examples, full.examples);
  EXPECT_EQ(back->slice(), full.slice());
  EXPECT_EQ(to_json(*back, kNow), to_json(full, kNow));
}

TEST(JobJson, EveryStatusAndPhaseComesBack) {
  for (const auto status :
       {JobStatus::not_started, JobStatus::running, JobStatus::completed, JobStatus::failed, JobStatus::cancelled}) {
    for (const auto phase : {JobPhase::waiting, JobPhase::reading, JobPhase::sweeping, JobPhase::done}) {
      Job each = job("users");
      each.status = status;
      each.phase = phase;
      const auto back = job_from_json(to_json(each, kNow));
      ASSERT_TRUE(back);
      EXPECT_EQ(back->status, status);
      EXPECT_EQ(back->phase, phase);
    }
  }
}

TEST(JobJson, SaysWhatWasAskedInTheWordsOfTheRequest) {
  Job each = job("users", {{"partition_num", "112"}});
  each.asked = {{"partition", "112"}, {"granularity", "DAY"}, {"zeros", "007"}, {"long", "1234567890123456"}};
  const std::string json = to_json(each, kNow);
  for (const char* words :
       {"\"partition\": 112", "\"granularity\": \"DAY\"", "\"zeros\": \"007\"", "\"long\": \"1234567890123456\""}) {
    std::string tight = words;
    std::erase(tight, ' ');
    std::string found = json;
    std::erase(found, ' ');
    EXPECT_THAT(found, HasSubstr(tight));
  }
}

std::string tight(const Job& of, std::int64_t now_us) {
  std::string json = to_json(of, now_us);
  std::erase(json, ' ');
  return json;
}

TEST(JobJson, TimesAreUtcWithMilliseconds) {
  Job each = job("users");
  EXPECT_THAT(tight(each, kNow), HasSubstr("\"startedAt\":null"));
  EXPECT_THAT(tight(each, kNow), HasSubstr("\"completedAt\":null"));
  EXPECT_THAT(tight(each, kNow), HasSubstr("\"errorMessage\":null"));
  each.started_us = kNow + 7999;
  each.completed_us = kNow + 86399999999;
  EXPECT_THAT(tight(each, kNow), HasSubstr("\"startedAt\":\"2026-01-01T00:00:00.007Z\""));
  EXPECT_THAT(tight(each, kNow), HasSubstr("\"completedAt\":\"2026-01-01T23:59:59.999Z\""));
}

TEST(JobJson, RateAndEta) {
  Job each = job("users");
  EXPECT_THAT(tight(each, kNow), HasSubstr("\"recordsPerSecond\":0")) << "not begun";
  each.status = JobStatus::running;
  each.started_us = kNow;
  each.total = 1000;
  each.processed = 200;
  EXPECT_THAT(tight(each, kNow + 2000000), HasSubstr("\"recordsPerSecond\":100"));
  EXPECT_THAT(tight(each, kNow + 2000000), HasSubstr("\"etaSeconds\":8"));
  EXPECT_THAT(tight(each, kNow - 5000000), HasSubstr("\"recordsPerSecond\":200000")) << "the clock was set back";
  each.processed = 1200;  // more than was estimated
  EXPECT_THAT(tight(each, kNow + 2000000), Not(HasSubstr("etaSeconds")));
  each.processed = 0;
  EXPECT_THAT(tight(each, kNow + 2000000), Not(HasSubstr("etaSeconds")));
  each.processed = 200;
  each.status = JobStatus::completed;
  each.completed_us = kNow + 4000000;
  EXPECT_THAT(tight(each, kNow + 900000000), HasSubstr("\"recordsPerSecond\":50")) << "as of its end";
  EXPECT_THAT(tight(each, kNow + 900000000), Not(HasSubstr("etaSeconds")));
}

}  // namespace
}  // namespace walrelay::sidecar
