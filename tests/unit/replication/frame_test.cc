// The outer layer of the stream, both ways.
#include "replication/frame.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace walrelay::replication {
namespace {

using support::Bytes;

constexpr std::int64_t kEpochUs = 946'684'800'000'000;  // 2000-01-01 in Unix time

const Bytes kData = Bytes("w").u64(0x10).u64(0x20).i64(1'000'000).raw("Bxyz");
const Bytes kKeepalive = Bytes("k").u64(0x30).i64(-1).u8(1);

TEST(Frame, XLogData) {
  EXPECT_EQ(parse_frame(kData.str()), Frame(XLogData{Lsn{0x10}, Lsn{0x20}, kEpochUs + 1'000'000, "Bxyz"}));
}

TEST(Frame, PayloadIsBorrowed) {
  const std::string bytes = kData;
  const auto frame = parse_frame(bytes);
  EXPECT_EQ(std::get<XLogData>(frame).payload.data(), bytes.data() + 25);
}

TEST(Frame, Keepalive) {
  EXPECT_EQ(parse_frame(kKeepalive.str()), Frame(Keepalive{Lsn{0x30}, kEpochUs - 1, true}));
  EXPECT_EQ(parse_frame(Bytes("k").u64(0x30).i64(0).u8(0).str()), Frame(Keepalive{Lsn{0x30}, kEpochUs, false}));
}

TEST(Frame, EveryShortHeaderThrows) {
  for (std::size_t size = 0; size < 25; ++size) {
    EXPECT_THROW(parse_frame(kData.str().substr(0, size)), ProtocolError) << size;
  }
  for (std::size_t size = 0; size < kKeepalive.str().size(); ++size) {
    EXPECT_THROW(parse_frame(kKeepalive.str().substr(0, size)), ProtocolError) << size;
  }
}

TEST(Frame, RefusesWhatTheProtocolDoesNotDefine) {
  EXPECT_THROW(parse_frame(kKeepalive.str() + "x"), ProtocolError);
  EXPECT_THROW(parse_frame(Bytes("k").u64(0).i64(0).u8(2).str()), ProtocolError);
  EXPECT_THROW(parse_frame("r"), ProtocolError);
  EXPECT_THROW(parse_frame(Bytes().u8(0).u64(0).u64(0).u64(0).str()), ProtocolError);
}

TEST(Frame, ClockAtItsEndsDoesNotOverflow) {
  const auto frame = parse_frame(Bytes("k").u64(0).i64(std::numeric_limits<std::int64_t>::max()).u8(0).str());
  EXPECT_LT(std::get<Keepalive>(frame).send_time_us, 0);
}

TEST(Status, HasTheLayoutOfAStandbyStatusUpdate) {
  const auto expected = Bytes("r").u64(0x0102030405060708).u64(0x10).u64(0).i64(5).u8(1);
  EXPECT_EQ(encode_status(Lsn{0x0102030405060708}, Lsn{0x10}, Lsn::invalid, kEpochUs + 5, true), expected.str());
  EXPECT_EQ(encode_status(Lsn{1}, Lsn{2}, Lsn{3}, 0, false),
            Bytes("r").u64(1).u64(2).u64(3).i64(-kEpochUs).u8(0).str());
}

}  // namespace
}  // namespace walrelay::replication
