#include "config/values.h"

#include <gtest/gtest.h>

namespace walrelay::config {
namespace {

using std::chrono::milliseconds;

TEST(Values, DurationsAreReadAndWritten) {
  struct Row {
    const char* text;
    std::int64_t ms;
    const char* written;
  };
  for (const Row& row : {Row{"0", 0, "0"}, Row{"100ms", 100, "100ms"}, Row{"5s", 5000, "5s"}, Row{"1m", 60000, "1m"},
                         Row{"2h", 7200000, "2h"}, Row{"1d", 86400000, "1d"}, Row{"1h30m", 5400000, "90m"},
                         Row{"1m0s1ms", 60001, "60001ms"}, Row{"0s", 0, "0"}, Row{"1000ms", 1000, "1s"},
                         Row{"3650d", 315360000000, "3650d"}}) {
    EXPECT_EQ(parse_duration(row.text), milliseconds(row.ms)) << row.text;
    EXPECT_EQ(format_duration(milliseconds(row.ms)), row.written);
  }
}

TEST(Values, WhatIsNoDurationIsRefused) {
  for (const char* text : {"",
                           "5",
                           "00",
                           "-5s",
                           "+5s",
                           "5 s",
                           "5S",
                           "1.5s",
                           "s",
                           "5x",
                           "5us",
                           "30m1h",
                           "5s5s",
                           "5ss",
                           "5s ",
                           " 5s",
                           "3651d",
                           "99999999999999999999d",
                           "18446744073709551615ms",
                           "1d100000000h",
                           "0x5s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Values, SizesAreReadAndWritten) {
  struct Row {
    const char* text;
    std::uint64_t bytes;
    const char* written;
  };
  for (const Row& row :
       {Row{"0", 0, "0"}, Row{"4096", 4096, "4KiB"}, Row{"512k", 512000, "500KiB"}, Row{"512KB", 512000, "500KiB"},
        Row{"64MB", 64000000, "62500KiB"}, Row{"1MiB", 1048576, "1MiB"}, Row{"1Mi", 1048576, "1MiB"},
        Row{"1mib", 1048576, "1MiB"}, Row{"2G", 2000000000, "1953125KiB"}, Row{"3GiB", 3221225472, "3GiB"},
        Row{"1TiB", 1099511627776, "1TiB"}, Row{"7B", 7, "7"}, Row{"64 MB", 64000000, "62500KiB"},
        Row{"1001", 1001, "1001"}}) {
    EXPECT_EQ(parse_size(row.text), row.bytes) << row.text;
    EXPECT_EQ(format_size(row.bytes), row.written);
  }
}

TEST(Values, WhatIsNoSizeIsRefused) {
  for (const char* text : {"", "k", "-1", "1.5M", "1X", "1kk", "1iB", "1PB", "99999999999999999999", "9000000000TiB",
                           "1M ", "1  M", "1Kbb"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Values, FlagsAndIntegers) {
  for (const char* text : {"true", "TRUE", "yes", "on", "On", "1"}) EXPECT_EQ(parse_flag(text), true) << text;
  for (const char* text : {"false", "no", "off", "0"}) EXPECT_EQ(parse_flag(text), false) << text;
  for (const char* text : {"", "y", "enable", "2", "true "}) EXPECT_FALSE(parse_flag(text)) << text;
  EXPECT_EQ(parse_integer("-7"), -7);
  for (const char* text : {"", "7x", " 7", "0x7", "7.0", "9223372036854775808"})
    EXPECT_FALSE(parse_integer(text)) << text;
}

TEST(Values, Identifiers) {
  for (const char* text : {"a", "_", "Z9_", "CACHE_TTLS_JSON"}) EXPECT_TRUE(is_identifier(text)) << text;
  for (const char* text : {"", "9", "9a", "a-b", "a b", "a.b", "\xC3\xA9", "a\n"})
    EXPECT_FALSE(is_identifier(text)) << text;
}

}  // namespace
}  // namespace walrelay::config
