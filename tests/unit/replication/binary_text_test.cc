// Binary values to text without a server: one known pair for each rule, and everything malformed. Thousands of
// generated values are compared with a real server's text in tests/system/binary_text_test.cc.
#include "replication/binary_text.h"

#include <gtest/gtest.h>

#include <bit>

#include "tests/support/bytes.h"

namespace walrelay::replication {
namespace {

using support::Bytes;

constexpr Oid kBool = 16, kBytea = 17, kChar = 18, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kOid = 26,
              kCidr = 650, kFloat4 = 700, kFloat8 = 701, kInet = 869, kDate = 1082, kTime = 1083, kTimestamp = 1114,
              kTimestamptz = 1184, kInterval = 1186, kTimetz = 1266, kNumeric = 1700, kUuid = 2950, kJsonb = 3802,
              kInt4Array = 1007, kTextArray = 1009;

struct ValueCase {
  Oid type;
  std::string bytes, text;
};

Bytes float8(double number) { return Bytes().u64(std::bit_cast<std::uint64_t>(number)); }
Bytes float4(float number) { return Bytes().u32(std::bit_cast<std::uint32_t>(number)); }

Bytes numeric(std::uint16_t sign, std::int16_t weight, std::uint16_t scale, const std::vector<std::uint16_t>& digits) {
  auto bytes = Bytes().u16(static_cast<std::uint16_t>(digits.size())).i16(weight).u16(sign).u16(scale);
  for (const auto digit : digits) bytes.u16(digit);
  return bytes;
}

Bytes array(Oid element, const std::vector<std::pair<std::int32_t, std::int32_t>>& dimensions,
            std::uint32_t flags = 0) {
  auto bytes = Bytes().u32(static_cast<std::uint32_t>(dimensions.size())).u32(flags).u32(element);
  for (const auto& [size, lower] : dimensions) bytes.i32(size).i32(lower);
  return bytes;
}

Bytes inet(std::uint8_t family, std::uint8_t prefix, std::uint8_t is_cidr, std::string_view address) {
  return Bytes().u8(family).u8(prefix).u8(is_cidr).u8(static_cast<std::uint8_t>(address.size())).raw(address);
}

constexpr std::int64_t kDay = 86'400'000'000;

std::vector<ValueCase> values() {
  using namespace std::string_view_literals;
  constexpr auto kMax32 = std::numeric_limits<std::int32_t>::max();
  constexpr auto kMin32 = std::numeric_limits<std::int32_t>::min();
  constexpr auto kMax64 = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin64 = std::numeric_limits<std::int64_t>::min();
  return {
      {kBool, "\1", "t"},
      {kBool, std::string(1, '\0'), "f"},
      {kInt2, Bytes().i16(-32768), "-32768"},
      {kInt4, Bytes().i32(kMin32), "-2147483648"},
      {kInt8, Bytes().i64(kMin64), "-9223372036854775808"},
      {kOid, Bytes().u32(4294967295), "4294967295"},
      {kChar, "x", "x"},
      {kChar, std::string(1, '\0'), ""},
      {kChar, "\xFF", "\\377"},
      {kBytea, "", "\\x"},
      {kBytea, std::string("\0\x7F\xFF", 3), "\\x007fff"},
      {kUuid, std::string("\x55\x0e\x84\x00\xe2\x9b\x41\xd4\xa7\x16\x44\x66\x55\x44\x00\x00", 16),
       "550e8400-e29b-41d4-a716-446655440000"},
      {kJsonb, "\1{\"a\": 1}", "{\"a\": 1}"},
      {kFloat8, float8(0.1), "0.1"},
      {kFloat8, float8(-0.0), "-0"},
      {kFloat8, float8(1e15), "1e+15"},
      {kFloat8, float8(999999999999999), "999999999999999"},
      {kFloat8, float8(1200), "1200"},
      {kFloat8, float8(0.0001), "0.0001"},
      {kFloat8, float8(0.00001), "1e-05"},
      {kFloat8, float8(1e23), "9.999999999999999e+22"},  // half-way between two doubles: not 1e+23
      {kFloat8, float8(5e-324), "5e-324"},
      {kFloat8, float8(-1.7976931348623157e308), "-1.7976931348623157e+308"},
      {kFloat8, float8(std::numeric_limits<double>::quiet_NaN()), "NaN"},
      {kFloat8, float8(-std::numeric_limits<double>::infinity()), "-Infinity"},
      {kFloat4, float4(0.1F), "0.1"},
      {kFloat4, float4(1e6F), "1e+06"},
      {kFloat4, float4(123456), "123456"},
      {kFloat4, float4(16777216), "1.6777216e+07"},
      {kNumeric, numeric(0, 0, 0, {}), "0"},
      {kNumeric, numeric(0, 0, 3, {}), "0.000"},
      {kNumeric, numeric(0, 0, 4, {1, 2500}), "1.2500"},
      {kNumeric, numeric(0x4000, 1, 2, {1, 2, 3000}), "-10002.30"},
      {kNumeric, numeric(0, 2, 0, {1}), "100000000"},
      {kNumeric, numeric(0, -2, 8, {1}), "0.00000001"},
      {kNumeric, numeric(0, -1, 3, {1230}), "0.123"},
      {kNumeric, numeric(0xC000, 0, 0, {}), "NaN"},
      {kNumeric, numeric(0xD000, 0, 0, {}), "Infinity"},
      {kNumeric, numeric(0xF000, 0, 0, {}), "-Infinity"},
      {kDate, Bytes().i32(0), "2000-01-01"},
      {kDate, Bytes().i32(-1), "1999-12-31"},
      {kDate, Bytes().i32(59), "2000-02-29"},
      {kDate, Bytes().i32(-2451545), "4714-11-24 BC"},
      {kDate, Bytes().i32(2145031948), "5874897-12-31"},
      {kDate, Bytes().i32(-730119), "0001-01-01"},
      {kDate, Bytes().i32(-730120), "0001-12-31 BC"},
      {kDate, Bytes().i32(kMax32), "infinity"},
      {kDate, Bytes().i32(kMin32), "-infinity"},
      {kTime, Bytes().i64(kDay), "24:00:00"},
      {kTime, Bytes().i64(1), "00:00:00.000001"},
      {kTime, Bytes().i64(kDay - 500'000), "23:59:59.5"},
      {kTimetz, Bytes().i64(0).i32(-19800), "00:00:00+05:30"},
      {kTimetz, Bytes().i64(0).i32(57599), "00:00:00-15:59:59"},
      {kTimetz, Bytes().i64(0).i32(-1), "00:00:00+00:00:01"},
      {kTimestamp, Bytes().i64(0), "2000-01-01 00:00:00"},
      {kTimestamp, Bytes().i64(-1), "1999-12-31 23:59:59.999999"},
      {kTimestamp, Bytes().i64(kMax64), "infinity"},
      {kTimestamptz, Bytes().i64(-1), "1999-12-31 23:59:59.999999+00"},
      {kTimestamptz, Bytes().i64(kMin64), "-infinity"},
      {kTimestamptz, Bytes().i64(-730120 * kDay), "0001-12-31 00:00:00+00 BC"},
      {kInterval, Bytes().i64(0).i32(0).i32(0), "00:00:00"},
      {kInterval, Bytes().i64(-1).i32(-1).i32(13), "1 year 1 mon -1 days -00:00:00.000001"},
      {kInterval, Bytes().i64(1'500'000).i32(1).i32(-14), "-1 years -2 mons +1 day 00:00:01.5"},
      {kInterval, Bytes().i64(kMin64).i32(0).i32(0), "-2562047788:00:54.775808"},
      {kInterval, Bytes().i64(kMax64).i32(kMax32).i32(kMax32), "infinity"},
      {kInterval, Bytes().i64(kMin64).i32(kMin32).i32(kMin32), "-infinity"},
      {kInet, inet(2, 32, 0, "\x0A\x01\x02\xFF"), "10.1.2.255"},
      {kInet, inet(2, 8, 0, "\x0A\x01\x02\xFF"), "10.1.2.255/8"},
      {kCidr, inet(2, 32, 1, "\x0A\x01\x02\xFF"), "10.1.2.255/32"},
      {kInet, inet(3, 128, 0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"sv), "::1"},
      {kInet, inet(3, 128, 0, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\1\2\3\4"sv), "::ffff:1.2.3.4"},
      {kInet, inet(3, 64, 0, "\x20\x01\0\0\0\0\0\5\0\0\0\0\0\0\0\0"sv), "2001:0:0:5::/64"},
      {kTextArray, array(kText, {}), "{}"},
      {kTextArray, array(kText, {{0, 1}}), "{}"},
      {kTextArray, array(kText, {{3, 1}}, 1).counted("a").i32(-1).counted("b c"), "{a,NULL,\"b c\"}"},
      {kTextArray, array(kText, {{4, 1}}).counted("").counted("NuLl").counted("\"\\").counted("nulls"),
       R"({"","NuLl","\"\\",nulls})"},
      {kTextArray, array(kText, {{5, 1}}).counted(",").counted("{").counted("}").counted("\v").counted("N\x15LL"),
       "{\",\",\"{\",\"}\",\"\v\",N\x15LL}"},
      {kInt4Array, array(kInt4, {{2, 0}}).counted(Bytes().i32(1).str()).counted(Bytes().i32(-2).str()), "[0:1]={1,-2}"},
      {kInt4Array, array(kInt4, {{2, 1}, {1, kMax32}}).counted(Bytes().i32(1).str()).counted(Bytes().i32(2).str()),
       "[1:2][2147483647:2147483647]={{1},{2}}"},
  };
}

TEST(BinaryToText, IsPostgresText) {
  const TypeCatalog catalog;
  for (const auto& [oid, bytes, text] : values()) {
    const auto& type = *catalog.find(oid);
    std::string scratch = "kept";
    EXPECT_EQ(binary_to_text(type, bytes, scratch), text) << type.name;
    EXPECT_TRUE(scratch == "kept" || scratch == "kept" + text) << type.name << ": " << scratch;
  }
}

TEST(BinaryToText, AcceptsOnlyTheWholeValue) {
  const TypeCatalog catalog;
  for (const auto& [oid, bytes, text] : values()) {
    if (oid == kBytea || oid == kJsonb) continue;  // any bytes are a value; the version of jsonb is tested below
    const auto& type = *catalog.find(oid);
    std::string scratch;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string prefix(bytes, 0, size);
      EXPECT_THROW(binary_to_text(type, prefix, scratch), ProtocolError) << type.name << " " << text << " " << size;
    }
    EXPECT_THROW(binary_to_text(type, bytes + '\0', scratch), ProtocolError) << type.name << " " << text;
  }
}

TEST(BinaryToText, BorrowsWhatIsTextAlready) {
  const TypeCatalog catalog;
  std::string scratch;
  const std::string_view bytes = "\1[]";
  EXPECT_EQ(binary_to_text(*catalog.find(kText), bytes, scratch).data(), bytes.data());
  EXPECT_EQ(binary_to_text(*catalog.find(kJsonb), bytes, scratch).data(), bytes.data() + 1);
  EXPECT_TRUE(scratch.empty());
}

TEST(BinaryToText, RefusesMalformedValues) {
  const std::vector<std::pair<Oid, std::string>> cases = {
      {kJsonb, ""},
      {kJsonb, "\2{}"},
      {kNumeric, numeric(0, 0, 0, {10000})},
      {kNumeric, numeric(0x1234, 0, 0, {1})},
      {kNumeric, numeric(0, 0, 0x4000, {1})},
      {kDate, Bytes().i32(-2451546)},
      {kDate, Bytes().i32(2145031949)},
      {kTimestamp, Bytes().i64(-211813488000000001)},
      {kTimestamp, Bytes().i64(9223371331200000000)},
      {kTime, Bytes().i64(-1)},
      {kTime, Bytes().i64(kDay + 1)},
      {kTimetz, Bytes().i64(0).i32(57600)},
      {kTimetz, Bytes().i64(0).i32(std::numeric_limits<std::int32_t>::min())},
      {kInet, inet(4, 1, 0, "abcd")},
      {kInet, inet(2, 33, 0, "abcd")},
      {kInet, inet(3, 1, 0, "abcd")},
      {kInet, inet(2, 1, 0, "abcde")},
      {kInt4Array, array(kInt4, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}).counted("abcd")},
      {kInt4Array, array(kInt4, {{-1, 1}})},
      {kInt4Array, array(kInt4, {{1, 1}}, 2).counted("abcd")},
      {kInt4Array, array(kInt4, {{0x7FFFFFFF, 1}})},
      {kInt4Array, array(kInt4, {{0x10000, 1}, {0x10000, 1}, {0x10000, 1}, {0x10000, 1}})},
      {kInt4Array, array(kInt4, {{1, 1}}).i32(-2)},
      {kInt4Array, array(kInt4, {{1, 1}}).counted("abc")},
      {kInt4Array, array(kInt4, {{0, 1}}).counted("abcd")},
      {600, "0123456789abcdef"},  // point: never asked for in binary
  };
  const TypeCatalog catalog;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::string scratch;
    EXPECT_THROW(binary_to_text(*catalog.find(cases[i].first), cases[i].second, scratch), ProtocolError) << i;
  }
}

}  // namespace
}  // namespace walrelay::replication
