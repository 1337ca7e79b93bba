// The functions of expressions: integers, globs, MD5 and time.
#include "sinks/expression_functions.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "computing.h"

namespace walrelay::sinks {
namespace {

using testing::computed;
using testing::Computing;

struct FunctionCase {
  std::string text, result;
  friend void PrintTo(const FunctionCase& tested, std::ostream* out) { *out << tested.text; }
};
class FunctionOf : public ::testing::TestWithParam<FunctionCase> {};

TEST_P(FunctionOf, GivesTheResult) { EXPECT_EQ(computed(GetParam().text), GetParam().result); }

INSTANTIATE_TEST_SUITE_P(
    Integers, FunctionOf,
    ::testing::Values(FunctionCase{"floordiv(7, 2)", "3"}, FunctionCase{"floordiv(-7, 2)", "-4"},
                      FunctionCase{"floordiv(7, -2)", "-4"}, FunctionCase{"floordiv(-7, -2)", "3"},
                      FunctionCase{"floordiv(-6, 2)", "-3"}, FunctionCase{"floordiv(0, -5)", "0"},
                      FunctionCase{"floordiv(1, 0)", "<null>"}, FunctionCase{"floordiv(NULL, 2)", "<null>"},
                      FunctionCase{"floordiv(2, NULL)", "<null>"}, FunctionCase{"floordiv('17', 5.0)", "3"},
                      FunctionCase{"floordiv(-9223372036854775807 - 1, 1)", "-9223372036854775808"},
                      FunctionCase{"floordiv(-9223372036854775807 - 1, 2)", "-4611686018427387904"}));

INSTANTIATE_TEST_SUITE_P(
    Texts, FunctionOf,
    ::testing::Values(
        FunctionCase{"glob_escape('a*b?[c]\\d^-')", "a\\*b\\?\\[c\\]\\\\d^-"}, FunctionCase{"glob_escape('')", ""},
        FunctionCase{"glob_escape(NULL)", "<null>"}, FunctionCase{"glob_escape(42)", "42"},
        FunctionCase{"md5('')", "d41d8cd98f00b204e9800998ecf8427e"},
        FunctionCase{"md5('abc')", "900150983cd24fb0d6963f7d28e17f72"},
        FunctionCase{"md5(x'616263')", "900150983cd24fb0d6963f7d28e17f72"},
        FunctionCase{"md5('12345678901234567890123456789012345678901234567890123456789012345678901234567890')",
                     "57edf4a22be3c955ac49da2e2107b67a"},
        FunctionCase{"md5(replace(hex(zeroblob(55)), '00', 'x'))", "04364420e25c512fd958a70738aa8f72"},
        FunctionCase{"md5(replace(hex(zeroblob(56)), '00', 'x'))", "668a72d5ba17f08e62dabcafad6db14b"},
        FunctionCase{"md5(replace(hex(zeroblob(64)), '00', 'x'))", "c1bb4f81d892b2d57947682aeb252456"},
        FunctionCase{"md5(12)", "c20ad4d76fe97759aa27a0c99bff6710"}, FunctionCase{"md5(NULL)", "<null>"}));

INSTANTIATE_TEST_SUITE_P(
    Epochs, FunctionOf,
    ::testing::Values(
        FunctionCase{"epoch_us('1970-01-01')", "0"}, FunctionCase{"epoch_us('1970-01-01T00:00:00.000001Z')", "1"},
        FunctionCase{"epoch_us('2026-02-05T10:00:00.5Z')", "1770285600500000"},
        FunctionCase{"epoch_ms('2026-02-05 10:00:00.123999+00')", "1770285600123"},
        FunctionCase{"epoch_s('2026-02-05 10:00:00.999999')", "1770285600"},
        FunctionCase{"epoch_s('1969-12-31 23:59:59.5')", "-1"},
        FunctionCase{"epoch_ms('1969-12-31 23:59:59.9995')", "-1"},
        FunctionCase{"epoch_us('1969-12-31 23:59:59.9995')", "-500"},
        FunctionCase{"epoch_s('2026-02-05 10:00:00+05:30')", "1770265800"},
        FunctionCase{"epoch_s('2026-02-05T10:00:00-0530')", "1770305400"},
        FunctionCase{"epoch_s('2026-02-05 10:00:00+05')", "1770267600"},
        FunctionCase{"epoch_s('2026-02-05 10:00:00+05:30:15')", "1770265785"},
        FunctionCase{"epoch_s('2026-02-05T10:00Z')", "1770285600"},
        FunctionCase{"epoch_s('2026-02-05t10:00:00z')", "1770285600"},
        FunctionCase{"epoch_us('2026-02-05T10:00:00.123456789Z')", "1770285600123456"},
        FunctionCase{"epoch_s('2024-02-29')", "1709164800"}, FunctionCase{"epoch_s('0001-01-01')", "-62135596800"},
        FunctionCase{"epoch_s('0001-12-31 BC')", "-62135683200"},
        FunctionCase{"epoch_s('0044-03-15 12:00:00+00 BC')", "-63517780800"},
        FunctionCase{"epoch_s('10000-01-01')", "253402300800"},
        FunctionCase{"epoch_s('+010000-01-01T00:00:00.000Z')", "253402300800"},
        FunctionCase{"epoch_s('-000001-12-31')", "-62167305600"},
        FunctionCase{"epoch_us('294246-12-31')", "9223371158400000000"}, FunctionCase{"epoch_us('infinity')", "<null>"},
        FunctionCase{"epoch_s('-infinity')", "<null>"}, FunctionCase{"epoch_ms(NULL)", "<null>"}));

INSTANTIATE_TEST_SUITE_P(
    Times, FunctionOf,
    ::testing::Values(FunctionCase{"iso_ms('2026-01-01')", "2026-01-01T00:00:00.000Z"},
                      FunctionCase{"iso_ms('2026-02-05 10:00:00.123999+02')", "2026-02-05T08:00:00.123Z"},
                      FunctionCase{"iso_ms('1969-12-31 23:59:59.9999')", "1969-12-31T23:59:59.999Z"},
                      FunctionCase{"iso_ms(0)", "1970-01-01T00:00:00.000Z"},
                      FunctionCase{"iso_ms(-1)", "1969-12-31T23:59:59.999Z"},
                      FunctionCase{"iso_ms(8640000000000000)", "+275760-09-13T00:00:00.000Z"},
                      FunctionCase{"iso_ms('0044-03-15 BC')", "-000043-03-15T00:00:00.000Z"},
                      FunctionCase{"iso_ms('0001-01-01 BC')", "0000-01-01T00:00:00.000Z"},
                      FunctionCase{"iso_ms(NULL)", "<null>"}, FunctionCase{"iso_ms('infinity')", "<null>"},
                      FunctionCase{"rfc3339('2026-02-05 10:00:00+00')", "2026-02-05T10:00:00Z"},
                      FunctionCase{"rfc3339('2026-02-05 10:00:00.500')", "2026-02-05T10:00:00.5Z"},
                      FunctionCase{"rfc3339('2026-02-05 10:00:00.000001')", "2026-02-05T10:00:00.000001Z"},
                      FunctionCase{"rfc3339(1770285600123)", "2026-02-05T10:00:00.123Z"},
                      FunctionCase{"rfc3339(-1)", "1969-12-31T23:59:59.999Z"},
                      FunctionCase{"rfc3339('9999-12-31 23:59:59.999999')", "9999-12-31T23:59:59.999999Z"},
                      FunctionCase{"rfc3339(NULL)", "<null>"}));

class BadTime : public ::testing::TestWithParam<std::string> {};
TEST_P(BadTime, IsAnError) {
  Computing computing({"a:text"}, {}, {"epoch_us(a)", "iso_ms(a)"});
  EXPECT_EQ(computing.failure({GetParam()}),
            "the expression \"epoch_us(a)\" cannot be computed: epoch_us() was given a text that is no timestamp");
}
INSTANTIATE_TEST_SUITE_P(Times, BadTime,
                         ::testing::Values("", "now", "x", "2026", "2026-02", "2026-2-5", "26-02-05", "2026-02-30",
                                           "2025-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-02-05T",
                                           "2026-02-05 10", "2026-02-05 10:0", "2026-02-05 24:00:00",
                                           "2026-02-05 10:60", "2026-02-05 10:00:60", "2026-02-05 10:00:00.",
                                           "2026-02-05 10:00:00+", "2026-02-05 10:00:00+5",
                                           "2026-02-05 10:00:00+05:", "2026-02-05 10:00:00+05:3",
                                           "2026-02-05 10:00:00 UTC", "2026-02-05 10:00:00ZZ", " 2026-02-05",
                                           "2026-02-05 ", "2026-02-05Z", "0000-01-01 BC", "-2026-02-05",
                                           "12345678-01-01", "Infinity", "2026-02-05 BC BC"));

TEST(ExpressionFunctions, ATimeBeyond64BitsIsAnError) {
  Computing computing({"a:text"}, {}, {"epoch_s(a)"});
  EXPECT_TRUE(computing.failure({"294277-01-01"}).ends_with("epoch_s() was given a time that is too far away"));
  EXPECT_TRUE(computing.failure({"5874897-12-31"}).ends_with("too far away"));
  Computing numbers({"a:bigint"}, {}, {"iso_ms(a)"});
  EXPECT_TRUE(numbers.failure({"9223372036854775807"}).ends_with("too far away"));
  EXPECT_EQ(numbers.of({"9223372036854775"})[0], "+294247-01-10T04:00:54.775Z");
  EXPECT_EQ(numbers.of({"-9223372036854775"})[0], "-290308-12-21T19:59:05.225Z");
  Computing years({"a:bigint"}, {}, {"rfc3339(a)"});
  EXPECT_TRUE(years.failure({"253402300800000"}).ends_with("rfc3339() has no year before 0 or beyond 9999"));
}

TEST(ExpressionFunctions, TakeNoOtherTypes) {
  EXPECT_TRUE(Computing({"a:integer"}, {}, {"epoch_ms(a)"}).failure({"5"}).ends_with("takes the text of a timestamp"));
  EXPECT_TRUE(Computing({"a:real"}, {}, {"iso_ms(a)"}).failure({"0.5"}).ends_with("or an integer of milliseconds"));
  EXPECT_TRUE(Computing({"a:real"}, {}, {"floordiv(a, 1)"}).failure({"0.5"}).ends_with("floordiv() takes integers"));
  EXPECT_TRUE(Computing({"a:real"}, {}, {"floordiv(a, 1)"}).failure({"1e19"}).ends_with("floordiv() takes integers"));
  EXPECT_TRUE(Computing({"a:bigint"}, {}, {"floordiv(a, -1)"})
                  .failure({"-9223372036854775808"})
                  .ends_with("floordiv() leaves the range of integers"));
}

// Against the C library's calendar, over four thousand years, and back again.
TEST(ExpressionFunctions, RandomTimesAgreeWithTheCLibrary) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  Computing computing({"a:timestamp with time zone", "b:text"}, {},
                      {"epoch_us(a)", "epoch_us(b)", "epoch_s(b)", "epoch_us(rfc3339(a))", "epoch_ms(iso_ms(b))"});
  for (int i = 0; i < 2000; ++i) {
    constexpr std::int64_t kFirst = -62'135'596'800, kLast = 64'060'588'800;  // the years 1 to 3999
    const std::time_t seconds = kFirst + static_cast<std::int64_t>(random() % (kLast - kFirst));
    const auto fraction = static_cast<std::int64_t>(random() % 1'000'000);
    std::tm utc{};
    ASSERT_NE(gmtime_r(&seconds, &utc), nullptr);
    char text[64], fractions[16];
    std::snprintf(fractions, sizeof fractions, ".%06d", static_cast<int>(fraction));
    std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                  utc.tm_hour, utc.tm_min, utc.tm_sec);
    const std::int64_t zone = static_cast<std::int64_t>(random() % 1919) - 959;  // minutes
    char offset[16];
    std::snprintf(offset, sizeof offset, "%c%02d:%02d", zone < 0 ? '-' : '+', static_cast<int>(std::abs(zone) / 60),
                  static_cast<int>(std::abs(zone) % 60));
    const std::int64_t expected = seconds * 1'000'000 + fraction, elsewhere = expected - zone * 60'000'000;
    const auto values = computing.of({std::string(text) + fractions + "+00", std::string(text) + fractions + offset});
    EXPECT_EQ(values[0], std::to_string(expected)) << text;
    EXPECT_EQ(values[1], std::to_string(elsewhere)) << text << offset;
    EXPECT_EQ(values[2], std::to_string(elsewhere / 1'000'000 - (elsewhere % 1'000'000 < 0 ? 1 : 0)));
    EXPECT_EQ(values[3], values[0]);
    EXPECT_EQ(values[4], std::to_string(elsewhere / 1'000 - (elsewhere % 1'000 < 0 ? 1 : 0)));
  }
}

}  // namespace
}  // namespace walrelay::sinks
