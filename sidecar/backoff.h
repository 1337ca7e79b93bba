// How long to wait before the next try: doubling from 100 ms to 10 s, with jitter, so that many sidecars whose server
// came back do not all knock at once. Pure: the source of chance is given.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace walrelay::sidecar {

class Backoff {
 public:
  explicit Backoff(std::uint64_t seed) : chance_(seed) {}
  std::chrono::milliseconds next() {
    const auto least = step_ / 2;
    std::uniform_int_distribution<std::int64_t> jitter(least.count(), step_.count());
    step_ = std::min(step_ * 2, kMost);
    return std::chrono::milliseconds(jitter(chance_));
  }
  void reset() { step_ = kLeast; }

 private:
  static constexpr std::chrono::milliseconds kLeast{200};
  static constexpr std::chrono::milliseconds kMost{10000};
  std::mt19937_64 chance_;
  std::chrono::milliseconds step_ = kLeast;
};

}  // namespace walrelay::sidecar
