// When to stop watching the socket, and to read it from time to time instead.
//
//   watching  ── wake-ups that come at once, kRun of them ──>  polling: read, rest kRest, read, rest ...
//             <── kDry reads in a row that brought nothing ──
//
// The server sends each message with a system call of its own, and each wakes whoever watches. With a backlog that is
// paid for twice: by the server, for every row, and by us, since the kernel likes to move who is woken to the processor
// of who wakes him, where he waits for his turn. While nobody watches, rows gather and neither pays. kRest is to be
// shorter than what the server needs to fill a unix socket, some 280 rows, or else it stands still.
//
// The stream itself does not tell that there is a backlog: the server's end of WAL in a message of a logical slot is
// the message's own position. So the pace of the wake-ups has to tell. What it gave: docs/decisions.md, 46.
#pragma once

#include <chrono>
#include <cstddef>

namespace walrelay::replication {

class WakeupPace {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kRest{100};

  // Whether the next read is due after a rest; else when the socket is readable.
  [[nodiscard]] bool polling() const { return polling_; }

  void woken(Clock::time_point now) { at_once_ = now - drained_at_ < kAtOnce; }

  // After the last wake-up, or rest, everything was read, so many bytes.
  void drained(std::size_t bytes, Clock::time_point now) {
    drained_at_ = now;
    const bool goes_on = polling_ ? bytes == 0 : bytes > 0 && at_once_;
    run_ = goes_on ? run_ + 1 : 0;
    if (run_ < (polling_ ? kDry : kRun)) return;
    polling_ = !polling_;
    run_ = 0;
  }

 private:
  static constexpr std::chrono::nanoseconds kAtOnce{30'000};  // between the end of a drain and the next wake-up
  static constexpr int kRun = 8;  // a small transaction is over before that: it is never delayed
  static constexpr int kDry = 8;  // while the server decodes a transaction it sends nothing

  Clock::time_point drained_at_;
  bool at_once_ = false;
  int run_ = 0;
  bool polling_ = false;
};

}  // namespace walrelay::replication
