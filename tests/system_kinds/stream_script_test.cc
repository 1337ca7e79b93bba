// The script behind the kind stream on a real Redis: every entry once, in order, whatever was said before.
#include "sinks/stream_script.h"

#include <gtest/gtest.h>

#include "tests/support/redis_server.h"

namespace walrelay::support {
namespace {

class StreamScriptTest : public testing::Test {
 protected:
  // Whether it says so or not; then the stream's ids.
  std::string add(const std::string& origin, const std::string& lsn, const std::string& seq,
                  const std::string& most = "") {
    return redis_.command("EVAL", sinks::stream_script().body(), "1", "log", "state", origin, lsn, seq, most, "at",
                          lsn + "-" + seq);
  }
  std::string ids() {
    std::string all;
    for (const auto& entry : redis_.client().call({"XRANGE", "log", "-", "+"}).elements) {
      all += (all.empty() ? "" : " ") + entry.elements.at(0).text;
    }
    return all;
  }
  std::string positions() {
    std::string all;
    for (const auto& entry : redis_.client().call({"XRANGE", "log", "-", "+"}).elements) {
      all += (all.empty() ? "" : " ") + entry.elements.at(1).elements.at(1).text;
    }
    return all;
  }
  Redis redis_;
};

TEST_F(StreamScriptTest, AnIdIsThePosition) {
  EXPECT_EQ(add("a", "100", "1"), "100-1");
  EXPECT_EQ(add("a", "100", "2"), "100-2");
  EXPECT_EQ(add("a", "99999", "10"), "99999-10");
  EXPECT_EQ(add("a", "99999", "9"), "0") << "below the last one, though not as a text";
  EXPECT_EQ(ids(), "100-1 100-2 99999-10");
}

TEST_F(StreamScriptTest, WhatComesAgainChangesNothing) {
  for (int round = 0; round < 3; ++round) {
    for (const char* lsn : {"100", "200", "1000"}) {
      add("a", lsn, "1");
      add("a", lsn, "2");
    }
  }
  EXPECT_EQ(ids(), "100-1 100-2 200-1 200-2 1000-1 1000-2");
  redis_.command("XTRIM", "log", "MAXLEN", "0");
  EXPECT_EQ(add("a", "1000", "2"), "0") << "an entry that was trimmed was told all the same";
  redis_.command("DEL", "log");
  EXPECT_EQ(add("a", "200", "1"), "0");
  EXPECT_EQ(add("a", "2000", "1"), "2000-1");
}

// Another server, or the same restored: its log begins lower.
TEST_F(StreamScriptTest, AnotherOriginGoesOnAboveTheLastEntry) {
  add("a", "1000", "5");
  EXPECT_EQ(add("b", "400", "1"), "1401-1");
  EXPECT_EQ(add("b", "400", "1"), "0");
  EXPECT_EQ(add("b", "400", "2"), "1401-2");
  EXPECT_EQ(add("b", "401", "1"), "1402-1");
  EXPECT_EQ(add("c", "10", "1"), "1413-1");
  EXPECT_EQ(add("c", "9", "7"), "0");
  EXPECT_EQ(positions(), "1000-5 400-1 400-2 401-1 10-1");
}

TEST_F(StreamScriptTest, AnotherOriginThatIsAheadNeedsNoOffset) {
  add("a", "1000", "5");
  EXPECT_EQ(add("b", "5000", "1"), "5000-1");
  EXPECT_EQ(add("b", "5000", "1"), "0");
}

// Redis makes such ids of the time, which is far above any position.
TEST_F(StreamScriptTest, EntriesOfOthersLoseNoneOfOurs) {
  add("a", "1000", "1");
  redis_.command("XADD", "log", "1770000000000-3", "other", "entry");
  EXPECT_EQ(add("a", "1000", "1"), "0");
  EXPECT_EQ(add("a", "1000", "2"), "1770000001001-2");
  redis_.command("XADD", "log", "*", "other", "entry");
  const std::string lifted = add("a", "1001", "1");
  EXPECT_NE(lifted, "0");
  EXPECT_EQ(add("a", "1001", "1"), "0");
  EXPECT_EQ(redis_.command("XLEN", "log"), "5");
}

TEST_F(StreamScriptTest, PositionsOf64Bits) {
  EXPECT_EQ(add("a", "9007199254740993", "1"), "9007199254740993-1");
  EXPECT_EQ(add("a", "9007199254740992", "1"), "0") << "the same as a number of Lua's";
  EXPECT_EQ(add("a", "9007199254740995", "18446744073709551615"), "9007199254740995-18446744073709551615");
  EXPECT_EQ(add("b", "9007199254740000", "1"), "18014398509480996-1");
  EXPECT_EQ(add("b", "9007199254740001", "1"), "18014398509480997-1");
}

TEST_F(StreamScriptTest, IsTrimmed) {
  for (int i = 1; i <= 2000; ++i) add("a", std::to_string(i), "1", "100");
  const int length = std::stoi(redis_.command("XLEN", "log"));
  EXPECT_GE(length, 100);
  EXPECT_LT(length, 400);
}

TEST_F(StreamScriptTest, AKeyOfAnotherTypeIsAnError) {
  redis_.command("SET", "log", "text");
  EXPECT_THROW(add("a", "1", "1"), RedisError);
  EXPECT_EQ(redis_.command("EXISTS", "state"), "0") << "it was not told";
}

}  // namespace
}  // namespace walrelay::support
