#include "sidecar/readable.h"

#include <gtest/gtest.h>

#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {
namespace {

TEST(Readable, Counts) {
  EXPECT_EQ(readable_count(0), "0");
  EXPECT_EQ(readable_count(999), "999");
  EXPECT_EQ(readable_count(1000), "1,000");
  EXPECT_EQ(readable_count(1234567), "1,234,567");
  EXPECT_EQ(readable_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Readable, Rates) {
  EXPECT_EQ(readable_rate(-1), "0");
  EXPECT_EQ(readable_rate(0.44), "0.4");
  EXPECT_EQ(readable_rate(9.94), "9.9");
  EXPECT_EQ(readable_rate(9.96), "10");
  EXPECT_EQ(readable_rate(12345.6), "12,346");
}

TEST(Readable, Bytes) {
  EXPECT_EQ(readable_bytes(-1), "0 B");
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1024), "1 KiB");
  EXPECT_EQ(readable_bytes(1536), "1.5 KiB");
  EXPECT_EQ(readable_bytes(1024 * 1024 - 1), "1 MiB");
  EXPECT_EQ(readable_bytes(INT64_C(20) << 30), "20 GiB");
  EXPECT_EQ(readable_bytes(INT64_MAX), "8192 PiB");
}

TEST(Readable, Durations) {
  for (const auto& [seconds, text] : std::map<double, std::string>{{-5, "0 s"},
                                                                   {0.0001, "1 ms"},
                                                                   {0.0994, "99 ms"},
                                                                   {0.0996, "0.1 s"},
                                                                   {0.44, "0.4 s"},
                                                                   {5, "5 s"},
                                                                   {59.4, "59 s"},
                                                                   {59.6, "1 min"},
                                                                   {185, "3 min 5 s"},
                                                                   {3599.6, "1 h"},
                                                                   {7440, "2 h 4 min"},
                                                                   {86400, "1 d"},
                                                                   {90000, "1 d 1 h"}}) {
    EXPECT_EQ(readable_duration(seconds), text) << seconds;
  }
}

TEST(Readable, PercentagesAreWholeOnlyWhenAllIsDone) {
  EXPECT_EQ(readable_percent(0), "0 %");
  EXPECT_EQ(readable_percent(0.004), "0.4 %");
  EXPECT_EQ(readable_percent(0.5), "50 %");
  EXPECT_EQ(readable_percent(0.99999), "99 %");
  EXPECT_EQ(readable_percent(1), "100 %");
  EXPECT_EQ(readable_percent(1.5), "100 %");
}

TEST(Readable, TimesOfDay) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(1770285600500000), "2026-02-05T10:00:00.500Z");
}

}  // namespace
}  // namespace walrelay::sidecar
