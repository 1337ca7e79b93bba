// The server's clock, as its messages let us know it. Pure.
//
// Lag is measured on one clock: commit times are the server's, and so must "now" be. Every frame carries the server's
// time; the largest difference to our monotonic clock that a recent frame showed is the one least delayed on its way.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace walrelay::sidecar {

class ServerClock {
 public:
  using Clock = std::chrono::steady_clock;

  void observe(std::int64_t server_us, Clock::time_point now = Clock::now()) {
    const std::int64_t difference = server_us - monotonic(now);
    if (now - window_began_ > kWindow) {  // clocks drift: forget what the last window said in two steps
      previous_ = known_ ? current_ : difference;
      current_ = difference;
      window_began_ = now;
    }
    current_ = known_ ? std::max(current_, difference) : difference;
    if (!known_) previous_ = difference;
    known_ = true;
  }

  [[nodiscard]] bool known() const { return known_; }
  // Microseconds since the Unix epoch by the server; our own wall clock until a frame has come.
  [[nodiscard]] std::int64_t now_us(Clock::time_point now = Clock::now()) const {
    if (known_) return monotonic(now) + std::max(current_, previous_);
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

 private:
  static constexpr std::chrono::seconds kWindow{60};
  static std::int64_t monotonic(Clock::time_point now) {
    return std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  }
  bool known_ = false;
  std::int64_t current_ = 0, previous_ = 0;
  Clock::time_point window_began_{};
};

}  // namespace walrelay::sidecar
