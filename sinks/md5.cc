#include "sinks/md5.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

namespace walrelay::sinks {
namespace {

using Words = std::array<std::uint32_t, 4>;
constexpr std::size_t kBlock = 64;

// The constant of step i is the integer part of 2^32 |sin(i + 1)|.
const std::array<std::uint32_t, 64>& sines() {
  static const auto table = [] {
    std::array<std::uint32_t, 64> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = static_cast<std::uint32_t>(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0);
    }
    return made;
  }();
  return table;
}

constexpr std::array<std::array<int, 4>, 4> kRotations{
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

std::uint32_t word_at(std::string_view block, std::size_t index) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) word = word << 8 | static_cast<unsigned char>(block[index * 4 + i]);
  return word;
}

void digest_block(std::string_view block, Words& state) {
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < kBlock; ++i) {
    std::uint32_t mixed = 0;
    std::size_t word = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d), word = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c), word = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d, word = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d), word = 7 * i % 16;
    }
    mixed += a + sines()[i] + word_at(block, word);
    a = d;
    d = c;
    c = b;
    b += std::rotl(mixed, kRotations[i / 16][i % 4]);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

// What stands behind the last whole block: the rest, a one bit, zeros, and the length in bits.
std::string last_blocks(std::string_view bytes) {
  std::string last(bytes.substr(bytes.size() / kBlock * kBlock));
  last.push_back('\x80');
  while (last.size() % kBlock != kBlock - 8) last.push_back('\0');
  for (std::uint64_t i = 0, bits = std::uint64_t{bytes.size()} * 8; i < 8; ++i, bits >>= 8) {
    last.push_back(static_cast<char>(bits & 0xFF));
  }
  return last;
}

}  // namespace

std::array<char, 32> md5_digits(std::string_view bytes) {
  Words state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  for (std::size_t at = 0; at + kBlock <= bytes.size(); at += kBlock) digest_block(bytes.substr(at, kBlock), state);
  const std::string last = last_blocks(bytes);
  for (std::size_t at = 0; at < last.size(); at += kBlock) {
    digest_block(std::string_view(last).substr(at, kBlock), state);
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 32> digits{};
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto byte = state[i / 8] >> (i / 2 % 4 * 8) & 0xFF;
    digits[i] = kDigits[byte >> 4];
    digits[i + 1] = kDigits[byte & 15];
  }
  return digits;
}

}  // namespace walrelay::sinks
