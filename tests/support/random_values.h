// Random SQL literals: what a seed says, always the same.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace walrelay::support {

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t limit);  // 0 ... limit - 1
  int between(int low, int high);            // both included
  bool chance(double part);                  // true in so many cases
  double unit();                             // 0 <= x < 1
  template <class Choices>
  const auto& one_of(const Choices& choices) {
    return *(std::begin(choices) + static_cast<std::ptrdiff_t>(below(std::size(choices))));
  }

  std::string odd_text();                  // short: empty, quotes, controls, several bytes a character
  std::string letters(std::size_t count);  // does not compress
  // SQL literals: NULL, empty, odd, medium, large; large ones are stored out of line.
  std::string text_literal();
  std::string large_literal();
  std::string bytes_literal();

 private:
  std::mt19937_64 engine_;
};

}  // namespace walrelay::support
