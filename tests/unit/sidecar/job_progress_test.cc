// The bar of a job that is waited for.
#include "sidecar/job_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sidecar/terminal.h"

namespace walrelay::sidecar {
namespace {

constexpr std::int64_t kSecond = 1000000;

Job job(std::uint64_t processed, std::uint64_t total) {
  Job job;
  job.mapping = "users";
  job.status = JobStatus::running;
  job.phase = JobPhase::reading;
  job.processed = processed;
  job.total = total;
  job.started_us = kSecond;
  return job;
}

TEST(JobProgressTest, TheBarFillsWhatRoomThereIs) {
  EXPECT_EQ(
      progress_bar(job(1000, 4000), 11 * kSecond, 200),
      "rebuild users  reading  [==========>                             ]   25 %  1,000 of 4,000 rows  100 rows/s  "
      "30 s left");
  const std::string narrow = progress_bar(job(1000, 4000), 11 * kSecond, 90);
  EXPECT_EQ(narrow.size(), 90U - 1);
  EXPECT_THAT(narrow, testing::HasSubstr("]   25 %"));
  EXPECT_EQ(progress_bar(job(1000, 4000), 11 * kSecond, 70),
            "rebuild users  reading  1,000 of 4,000 rows  100 rows/s  30 s left")
      << "no room for a bar";
  EXPECT_EQ(progress_bar(job(1000, 4000), 11 * kSecond, 20), "rebuild users  readi");
}

TEST(JobProgressTest, AnEstimateMayBeTooSmall) {
  const std::string text = progress_bar(job(5000, 4000), 11 * kSecond, 200);
  EXPECT_EQ(text, "rebuild users  reading  5,000 rows  500 rows/s");
  EXPECT_THAT(progress_bar(job(4000, 4000), 11 * kSecond, 200),
              testing::HasSubstr("[========================================]  100 %"));
  EXPECT_THAT(progress_bar(job(3999, 4000), 11 * kSecond, 200), testing::HasSubstr(" 99 %")) << "not yet whole";
}

TEST(JobProgressTest, BeforeAnythingIsKnown) {
  Job begun = job(0, 0);
  begun.started_us = 0;
  EXPECT_EQ(progress_bar(begun, kSecond, 200), "rebuild users  reading  0 rows  0 rows/s");
}

TEST(JobProgressTest, WhatWasFound) {
  Job verify = job(10, 10);
  verify.kind = JobKind::verify;
  verify.found["stale"] = 3;
  verify.phase = JobPhase::sweeping;
  EXPECT_THAT(progress_bar(verify, 2 * kSecond, 200), testing::EndsWith("10 of 10 rows  10 rows/s  3 differences"));
}

TEST(TerminalTest, LinesAreCutByCharacters) {
  EXPECT_EQ(fitted("abcdef", 3), "abc");
  EXPECT_EQ(fitted("abc", 3), "abc");
  EXPECT_EQ(fitted("äöü", 2), "äö");
  EXPECT_EQ(fitted("\033[31mab\033[0mcd", 3), "\033[31mab\033[0mc\033[0m");
  EXPECT_EQ(fitted("\033[31", 3), "");
}

}  // namespace
}  // namespace walrelay::sidecar
