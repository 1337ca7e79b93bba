// Jobs: which may run beside each other, how they end, and what survives the process.
#include "sidecar/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1767225600000000;  // 2026-01-01T00:00:00Z

Job job(const std::string& mapping, std::map<std::string, std::string> where = {}, const std::string& table = "") {
  Job out;
  out.mapping = mapping;
  out.where = std::move(where);
  out.table = table;
  return out;
}

TEST(JobBoard, OneJobASlice) {
  JobBoard board;
  EXPECT_EQ(board.request(job("users"), kNow), nullptr);
  const Job* other = board.request(job("users"), kNow + 1);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->started_us, kNow);
  EXPECT_EQ(board.request(job("orders"), kNow), nullptr);
  EXPECT_EQ(board.request(job("users", {}, "public.users_1"), kNow), nullptr);
  EXPECT_EQ(board.request(job("users", {{"part", "1"}}), kNow), nullptr);
  EXPECT_EQ(board.request(job("users", {{"part", "2"}}), kNow), nullptr);
  EXPECT_NE(board.request(job("users", {{"part", "2"}}), kNow), nullptr);
  Job verify = job("users");
  verify.kind = JobKind::verify;
  EXPECT_EQ(board.request(verify, kNow), nullptr);
  EXPECT_EQ(board.all().size(), 6U);
}

TEST(JobBoard, HowItIsDoneIsNotPartOfTheSlice) {
  JobBoard board;
  ASSERT_EQ(board.request(job("users"), kNow), nullptr);
  Job dry = job("users");
  dry.dry_run = true;
  dry.asked = {{"partition", "7"}};
  EXPECT_NE(board.request(dry, kNow), nullptr);
}

// Names and values are free texts: two slices must not look alike.
TEST(JobBoard, SlicesOfOddNamesDiffer) {
  const std::vector<Job> jobs = {job("m", {{"a", "1 b=2"}}),
                                 job("m", {{"a", "1"}, {"b", "2"}}),
                                 job("m a=1", {{"b", "2"}}),
                                 job("m", {{"a=1 b", "2"}}),
                                 job("m table t"),
                                 job("m", {}, "t"),
                                 job("m", {}, "t a=1"),
                                 job("m", {{"a", "1"}}, "t"),
                                 job("m", {{"a", "\"1\""}}, "t"),
                                 job("m", {{"a", ""}}, "t")};
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto [at, inserted] = seen.emplace(jobs[i].slice(), i);
    EXPECT_TRUE(inserted) << "jobs " << at->second << " and " << i << " are both \"" << jobs[i].slice() << "\"";
  }
  Job verify = job("users");
  verify.kind = JobKind::verify;
  EXPECT_NE(verify.slice(), job("verify users").slice());
}

TEST(JobBoard, ARequestBeginsAnew) {
  JobBoard board;
  Job begun = job("users");
  begun.phase = JobPhase::sweeping;
  ASSERT_EQ(board.request(begun, kNow), nullptr);
  Job* running = board.find("users");
  ASSERT_NE(running, nullptr);
  EXPECT_EQ(running->status, JobStatus::running);
  EXPECT_EQ(running->phase, JobPhase::waiting);
  running->processed = 7;
  running->tables_done = {"public.users"};
  board.finish("users", JobStatus::failed, "no", kNow + 1);
  ASSERT_EQ(board.request(job("users"), kNow + 2), nullptr);
  EXPECT_EQ(board.find("users")->processed, 0U);
  EXPECT_EQ(board.find("users")->completed_us, 0);
  EXPECT_EQ(board.find("users")->error, "");
  EXPECT_THAT(board.find("users")->tables_done, IsEmpty());
}

TEST(JobBoard, EndsOnceAndTellsIt) {
  JobBoard board;
  std::vector<std::string> told;
  board.on_finished = [&told](const Job& ended) { told.push_back(ended.mapping + " " + name_of(ended.status)); };
  ASSERT_EQ(board.request(job("users"), kNow), nullptr);
  board.find("users")->total = 99;
  board.find("users")->processed = 7;
  board.finish("users", JobStatus::completed, "a note", kNow + 5);
  const Job& done = *board.find("users");
  EXPECT_EQ(done.status, JobStatus::completed);
  EXPECT_EQ(done.phase, JobPhase::done);
  EXPECT_EQ(done.total, 7U) << "an estimate until then";
  EXPECT_EQ(done.completed_us, kNow + 5);
  EXPECT_EQ(done.error, "a note");
  board.finish("users", JobStatus::failed, "too late", kNow + 6);
  board.finish("nobody", JobStatus::failed, "", kNow);
  EXPECT_FALSE(board.cancel("users", kNow + 7));
  EXPECT_FALSE(board.cancel("nobody", kNow));
  EXPECT_EQ(board.find("users")->status, JobStatus::completed);
  ASSERT_EQ(board.request(job("orders"), kNow), nullptr);
  board.find("orders")->total = 99;
  EXPECT_TRUE(board.cancel("orders", kNow + 8));
  EXPECT_EQ(board.find("orders")->status, JobStatus::cancelled);
  EXPECT_EQ(board.find("orders")->total, 99U);
  EXPECT_THAT(told, ElementsAre("users COMPLETED", "orders CANCELLED"));
}

TEST(JobBoard, TheOldestRunsFirst) {
  JobBoard board;
  EXPECT_EQ(board.next_running(), nullptr);
  ASSERT_EQ(board.request(job("b"), kNow + 1), nullptr);
  ASSERT_EQ(board.request(job("c"), kNow), nullptr);
  ASSERT_EQ(board.request(job("a"), kNow + 2), nullptr);
  std::string order;
  while (const Job* next = board.next_running()) {
    order += next->mapping;
    board.finish(next->slice(), JobStatus::completed, "", kNow + 9);
  }
  EXPECT_EQ(order, "cba");
}

TEST(JobBoard, LatestOfAMappingAndKind) {
  JobBoard board;
  EXPECT_EQ(board.latest(JobKind::rebuild, "users"), nullptr);
  ASSERT_EQ(board.request(job("users"), kNow), nullptr);
  ASSERT_EQ(board.request(job("users", {{"part", "1"}}), kNow + 2), nullptr);
  ASSERT_EQ(board.request(job("users", {{"part", "2"}}), kNow + 1), nullptr);
  ASSERT_EQ(board.request(job("orders"), kNow + 3), nullptr);
  Job verify = job("users");
  verify.kind = JobKind::verify;
  ASSERT_EQ(board.request(verify, kNow + 4), nullptr);
  ASSERT_NE(board.latest(JobKind::rebuild, "users"), nullptr);
  EXPECT_EQ(board.latest(JobKind::rebuild, "users")->where.at("part"), "1");
  EXPECT_EQ(board.latest(JobKind::verify, "users")->kind, JobKind::verify);
  EXPECT_EQ(board.latest(JobKind::verify, "orders"), nullptr);
}

TEST(JobBoard, SaysEachChangeOnce) {
  JobBoard board;
  EXPECT_THAT(board.take_changed(), IsEmpty());
  ASSERT_EQ(board.request(job("users"), kNow), nullptr);
  ASSERT_EQ(board.request(job("orders"), kNow), nullptr);
  EXPECT_NE(board.request(job("users"), kNow), nullptr);
  EXPECT_THAT(board.take_changed(), ElementsAre("orders", "users"));
  EXPECT_THAT(board.take_changed(), IsEmpty());
  board.touch("users");
  board.touch("users");
  EXPECT_THAT(board.take_changed(), ElementsAre("users"));
  EXPECT_TRUE(board.cancel("orders", kNow));
  EXPECT_THAT(board.take_changed(), ElementsAre("orders"));
}

// ---- what Redis remembers ----

std::map<std::string, std::string> records(const std::vector<Job>& jobs) {
  std::map<std::string, std::string> out;
  for (const Job& each : jobs) out[each.slice()] = to_json(each, kNow);
  return out;
}

TEST(JobBoard, TakesUpWhatRedisRemembers) {
  Job running = job("users", {{"part", "1"}});
  running.status = JobStatus::running;
  running.phase = JobPhase::sweeping;
  running.started_us = kNow;
  Job done = job("orders");
  done.status = JobStatus::completed;
  done.phase = JobPhase::done;
  JobBoard board;
  board.restore(records({running, done}));
  ASSERT_NE(board.next_running(), nullptr);
  EXPECT_EQ(board.next_running()->slice(), running.slice());
  EXPECT_EQ(board.next_running()->phase, JobPhase::sweeping);
  EXPECT_EQ(board.find("orders")->status, JobStatus::completed);
  EXPECT_THAT(board.take_changed(), IsEmpty()) << "Redis knows already";
}

TEST(JobBoard, WhatTheProcessKnowsCountsMore) {
  Job old = job("users");
  old.status = JobStatus::running;
  old.started_us = kNow - 5;
  JobBoard board;
  ASSERT_EQ(board.request(job("users"), kNow), nullptr);
  board.finish("users", JobStatus::cancelled, "", kNow + 1);
  board.restore(records({old}));
  EXPECT_EQ(board.find("users")->status, JobStatus::cancelled);
  EXPECT_EQ(board.next_running(), nullptr);
}

TEST(JobBoard, ForgetsTheOldestButTheLastOfEachMapping) {
  JobBoard board;
  const auto run = [&board](const std::string& mapping, std::size_t day) {
    Job slice = job(mapping);
    slice.where["day"] = std::to_string(day);
    const auto at = kNow + static_cast<std::int64_t>(day);
    ASSERT_EQ(board.request(slice, at), nullptr);
    board.finish(slice.slice(), JobStatus::completed, "", at);
  };
  run("seldom", 0);
  (void)board.take_changed();
  for (std::size_t day = 1; day < JobBoard::kRemembered + 3; ++day) run("users", day);
  EXPECT_EQ(board.all().size(), JobBoard::kRemembered);
  EXPECT_NE(board.find("seldom day=0"), nullptr) << "the last of its mapping";
  EXPECT_EQ(board.find("users day=1"), nullptr);
  EXPECT_EQ(board.find("users day=3"), nullptr);
  EXPECT_NE(board.find("users day=4"), nullptr);
  EXPECT_THAT(board.take_changed(), testing::Contains("users day=1")) << "Redis is to forget it, too";
}

TEST(JobBoard, ForeignRecordsAreIgnored) {
  const std::string good = to_json(job("users"), kNow);
  JobBoard board;
  board.restore({{"a", ""},
                 {"b", "{"},
                 {"c", "[]"},
                 {"d", "null"},
                 {"e", "7"},
                 {"f", "{}"},
                 {"g", R"({"status":"RUNNING"})"},
                 {"h", R"({"status":"SLEEPING","phase":"reading","indexName":"h"})"},
                 {"i", R"({"status":7,"phase":[],"indexName":"i"})"},
                 {"j", "\xff\xfe"},
                 {"another slice", good}});
  EXPECT_TRUE(board.all().empty()) << board.all().begin()->first;
}

}  // namespace
}  // namespace walrelay::sidecar
