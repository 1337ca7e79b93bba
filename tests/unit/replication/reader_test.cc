// The cursor: right values, and never a byte beyond the end.
#include "replication/reader.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace walrelay::replication {
namespace {

using support::Bytes;

TEST(Reader, ReadsNetworkByteOrder) {
  const auto bytes = Bytes().u8(0xFE).u16(0xFEDC).u32(0xFEDCBA98).u64(0xFEDCBA9876543210).i16(-2).i32(-3).i64(-4).str();
  Reader in(bytes, "message");
  EXPECT_EQ(in.u8(), 0xFE);
  EXPECT_EQ(in.u16(), 0xFEDC);
  EXPECT_EQ(in.u32(), 0xFEDCBA98);
  EXPECT_EQ(in.u64(), 0xFEDCBA9876543210);
  EXPECT_EQ(in.i16(), -2);
  EXPECT_EQ(in.i32(), -3);
  EXPECT_EQ(in.i64(), -4);
  in.expect_end();
}

TEST(Reader, StringsAreViewsOfTheMessage) {
  const auto bytes = Bytes().cstring("name").cstring("").counted("value").raw("rest").str();
  Reader in(bytes, "message");
  EXPECT_EQ(in.cstring(), "name");
  EXPECT_EQ(in.cstring(), "");
  EXPECT_EQ(in.counted(), "value");
  EXPECT_EQ(in.remaining(), 4U);
  const auto rest = in.take_rest();
  EXPECT_EQ(rest, "rest");
  EXPECT_EQ(rest.data() + rest.size(), bytes.data() + bytes.size());
}

TEST(Reader, ThrowsInsteadOfReadingBeyondTheEnd) {
  using Read = void (*)(Reader&);
  for (const Read read : std::initializer_list<Read>{[](Reader& in) { in.u8(); }, [](Reader& in) { in.u16(); },
                                                     [](Reader& in) { in.u32(); }, [](Reader& in) { in.u64(); },
                                                     [](Reader& in) { in.bytes(1); }, [](Reader& in) { in.cstring(); },
                                                     [](Reader& in) { in.counted(); }}) {
    Reader empty("", "message");
    EXPECT_THROW(read(empty), ProtocolError);
  }
  Reader in("abc", "message");
  EXPECT_THROW(in.u32(), ProtocolError);
  EXPECT_THROW(in.bytes(std::numeric_limits<std::size_t>::max()), ProtocolError);
  EXPECT_THROW(in.cstring(), ProtocolError);
  EXPECT_EQ(in.bytes(3), "abc");
}

TEST(Reader, RefusesLengthsThatLie) {
  for (const std::int32_t length : {-1, std::numeric_limits<std::int32_t>::min(), 4, 1 << 30}) {
    const auto bytes = Bytes().i32(length).raw("abc").str();
    Reader in(bytes, "message");
    EXPECT_THROW(in.counted(), ProtocolError) << length;
  }
}

TEST(Reader, NamesTheMessage) {
  Reader in("x", "Begin message");
  try {
    in.expect_end();
    FAIL() << "bytes are left";
  } catch (const ProtocolError& error) {
    EXPECT_STREQ(error.what(), "PostgreSQL's Begin message has bytes after its end");
  }
}

}  // namespace
}  // namespace walrelay::replication
