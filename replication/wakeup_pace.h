// When to let messages gather before the next read.
//
// The server sends each message with a system call of its own, and wakes us for each. When messages come one after the
// other, a short rest lets several of them arrive in one wake-up, which saves both sides system time (measured with a
// backlog of 300,000 rows: a fifth of the wake-ups, a fifth less of the server's system time, the same throughput).
//
// The stream itself does not tell that there is a backlog: the server's end of WAL in a message of a logical slot is
// the message's own position. So the pace of the wake-ups has to tell.
#pragma once

#include <time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace walrelay::replication {

class WakeupPace {
 public:
  void woken() { woken_at_ = Clock::now(); }

  // After a wake-up that brought so many bytes. Rests when the last wake-ups brought little and came at once.
  void drained(std::size_t bytes) {
    const bool busy = bytes > 0 && bytes < kLittle && woken_at_ - drained_at_ < kAtOnce;
    run_ = busy ? run_ + 1 : 0;
    if (run_ >= kRun) {
      const timespec rest{.tv_sec = 0, .tv_nsec = kRest.count()};
      clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, nullptr);
    }
    drained_at_ = Clock::now();
  }

  static constexpr std::size_t kLittle = 16 * 1024;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::nanoseconds kRest{50'000};    // 200 us would cost throughput
  static constexpr std::chrono::nanoseconds kAtOnce{30'000};  // between the end of a drain and the next wake-up
  static constexpr int kRun = 8;  // a small transaction is over before that: it is never delayed

  Clock::time_point woken_at_, drained_at_;
  int run_ = 0;
};

}  // namespace walrelay::replication
