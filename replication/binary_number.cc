// float4 and float8 with the fewest digits that read back as the same number, and numeric.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "replication/binary_codec.h"
#include "replication/reader.h"

namespace walrelay::replication::binary {
namespace {

// A decimal number: digits x 10^exponent, where the digits are an integer without zeros at its end.
struct Decimal {
  std::array<char, 17> digits;
  int count = 0;
  int scientific = 0;  // the exponent when the point stands behind the first digit
};

// What PostgreSQL decides per type: from which exponent on it writes "1e+15", and the shape of the bits.
template <class Float>
struct Shape;
template <>
struct Shape<float> {
  using Bits = std::uint32_t;
  static constexpr int kFirstScientific = 6;
};
template <>
struct Shape<double> {
  using Bits = std::uint64_t;
  static constexpr int kFirstScientific = 15;
};

// Reads what std::to_chars(scientific) wrote: "d.ddde-dd".
Decimal parse_scientific(const char* at, const char* end) {
  Decimal decimal;
  for (; *at != 'e'; ++at) {
    if (*at != '.') decimal.digits[static_cast<std::size_t>(decimal.count++)] = *at;
  }
  const bool negative = *++at == '-';
  std::from_chars(at + 1, end, decimal.scientific);
  if (negative) decimal.scientific = -decimal.scientific;
  while (decimal.count > 1 && decimal.digits[static_cast<std::size_t>(decimal.count - 1)] == '0') --decimal.count;
  return decimal;
}

// True when the decimal lies exactly half-way between `number` (positive) and one of its neighbours. Half-way is
// odd x 2^power, so we bring both sides to that form; a decimal that does not fit in 64 bits that way is no such point.
template <class Float>
bool is_halfway(Float number, const Decimal& decimal) {
  constexpr int kMantissaBits = std::numeric_limits<Float>::digits - 1;
  constexpr int kSmallestPower = std::numeric_limits<Float>::min_exponent - std::numeric_limits<Float>::digits;
  const auto bits = std::uint64_t{std::bit_cast<typename Shape<Float>::Bits>(number)};
  const auto fraction = bits & ((std::uint64_t{1} << kMantissaBits) - 1);
  const int biased = static_cast<int>(bits >> kMantissaBits);
  const auto mantissa = biased == 0 ? fraction : fraction | (std::uint64_t{1} << kMantissaBits);
  const int power = biased == 0 ? kSmallestPower : kSmallestPower + biased - 1;

  std::uint64_t odd = 0;
  std::from_chars(decimal.digits.data(), decimal.digits.data() + decimal.count, odd);
  int tens = decimal.scientific - (decimal.count - 1);
  int twos = tens + std::countr_zero(odd);
  odd >>= std::countr_zero(odd);
  for (; tens > 0; --tens) {
    if (__builtin_mul_overflow(odd, std::uint64_t{5}, &odd)) return false;
  }
  for (; tens < 0; ++tens) {
    if (odd % 5 != 0) return false;
    odd /= 5;
  }
  if (twos == power - 1 && (odd == 2 * mantissa + 1 || odd == 2 * mantissa - 1)) return true;
  const bool smallest_of_its_power = fraction == 0 && biased > 1;  // the neighbour below is nearer
  return smallest_of_its_power && twos == power - 2 && odd == 4 * mantissa - 1;
}

// The shortest decimal that reads back as `number`, the nearest one among several. Like the standard library's, but
// PostgreSQL does not take a decimal half-way to a neighbour, as it trusts no reader's rounding there: 1e23 is such a
// point, so PostgreSQL prints 9.999999999999999e+22 for the double that the standard library prints as 1e23.
template <class Float>
Decimal shortest_decimal(Float number) {
  std::array<char, 40> buffer;
  char* const begin = buffer.data();
  char* const limit = begin + buffer.size();
  const auto shortest = parse_scientific(begin, std::to_chars(begin, limit, number, std::chars_format::scientific).ptr);
  if (!is_halfway(number, shortest)) [[likely]]
    return shortest;
  for (int precision = shortest.count - 1;; ++precision) {
    const auto* end = std::to_chars(begin, limit, number, std::chars_format::scientific, precision).ptr;
    Float read_back = 0;
    std::from_chars(begin, end, read_back);
    const auto candidate = parse_scientific(begin, end);
    if (read_back == number && !is_halfway(number, candidate)) return candidate;
  }
}

void append_decimal(const Decimal& decimal, int first_scientific, std::string& out) {
  const std::string_view digits(decimal.digits.data(), static_cast<std::size_t>(decimal.count));
  const int exponent = decimal.scientific;
  if (exponent < -4 || exponent >= first_scientific) {
    out.push_back(digits.front());
    if (digits.size() > 1) out.append(".").append(digits.substr(1));
    out += exponent < 0 ? "e-" : "e+";
    const int size = std::abs(exponent);
    if (size < 10) out.push_back('0');
    out += std::to_string(size);
  } else if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
  } else if (const auto whole = static_cast<std::size_t>(exponent) + 1; digits.size() > whole) {
    out.append(digits.substr(0, whole)).append(".").append(digits.substr(whole));
  } else {
    out.append(digits).append(whole - digits.size(), '0');
  }
}

template <class Float>
void append_float(Float number, std::string& out) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::signbit(number)) out.push_back('-');
  const auto size = std::fabs(number);
  if (std::isinf(size)) {
    out += "Infinity";
  } else if (size == 0) {
    out.push_back('0');
  } else {
    append_decimal(shortest_decimal(size), Shape<Float>::kFirstScientific, out);
  }
}

constexpr std::uint16_t kNegative = 0x4000;
constexpr std::uint16_t kNotANumber = 0xC000;
constexpr std::uint16_t kInfinity = 0xD000;
constexpr std::uint16_t kNegativeInfinity = 0xF000;
constexpr int kLargestScale = 0x3FFF;
constexpr std::size_t kGroup = 4;  // decimal digits in one of base 10000

// Digits in base 10000, the first of them worth 10000^weight; `scale` decimal digits behind the point.
struct Numeric {
  int count = 0;
  int weight = 0;
  std::uint16_t sign = 0;
  int scale = 0;
};

// The four decimal digits of the base-10000 digit at `index`; those that were not sent are zero.
std::array<char, kGroup> four_digits(Reader& in, int index, int count) {
  unsigned digit = 0;
  if (index >= 0 && index < count) {
    digit = in.u16();
    if (digit > 9999) in.fail("has a digit above 9999");
  }
  const unsigned high = digit / 100, low = digit % 100;
  const auto decimal = [](unsigned number) { return static_cast<char>('0' + number); };
  return {decimal(high / 10), decimal(high % 10), decimal(low / 10), decimal(low % 10)};
}

void append_digits(Reader& in, const Numeric& numeric, std::string& out) {
  const auto whole = static_cast<std::size_t>(std::max(numeric.weight + 1, 1)) * kGroup;
  const auto scale = static_cast<std::size_t>(numeric.scale);
  const auto start = out.size();
  out.resize(start + 2 + whole + scale + kGroup);  // a sign, a point, and a last group that reaches beyond the scale
  char* at = out.data() + start;
  if (numeric.sign == kNegative) *at++ = '-';
  const char* const first = at;
  for (int index = 0; index <= numeric.weight; ++index) {
    const auto group = four_digits(in, index, numeric.count);
    const auto* from = group.begin();
    if (at == first) from = std::find_if(from, group.end(), [](char digit) { return digit != '0'; });
    at = std::copy(from, group.end(), at);
  }
  if (at == first) *at++ = '0';
  if (scale > 0) {
    *at++ = '.';
    char* const end = at + scale;
    for (int index = numeric.weight + 1; at < end; ++index) {
      const auto group = four_digits(in, index, numeric.count);
      at = std::copy(group.begin(), group.end(), at);
    }
    at = end;
  }
  out.resize(static_cast<std::size_t>(at - out.data()));
}

}  // namespace

void append_float4(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary real");
  const auto number = std::bit_cast<float>(in.u32());
  in.expect_end();
  append_float(number, out);
}

void append_float8(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary double precision");
  const auto number = std::bit_cast<double>(in.u64());
  in.expect_end();
  append_float(number, out);
}

void append_numeric(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary numeric");
  Numeric numeric;
  numeric.count = in.u16();
  numeric.weight = in.i16();
  numeric.sign = in.u16();
  numeric.scale = in.u16();
  if (numeric.scale > kLargestScale) in.fail("has an impossible scale");
  if (in.remaining() != 2 * static_cast<std::size_t>(numeric.count)) in.fail("has a wrong number of digits");
  if (numeric.sign == kNotANumber) {
    out += "NaN";
  } else if (numeric.sign == kInfinity) {
    out += "Infinity";
  } else if (numeric.sign == kNegativeInfinity) {
    out += "-Infinity";
  } else if (numeric.sign == 0 || numeric.sign == kNegative) {
    append_digits(in, numeric, out);
  } else {
    in.fail("has an unknown sign");
  }
}

}  // namespace walrelay::replication::binary
