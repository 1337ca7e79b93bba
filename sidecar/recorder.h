// Looks at the status once a second, so that there is something to say of the last minutes (history.h), and at itself:
// how late the loop comes to it is how long something else held the loop.
#pragma once

#include <cstdint>

#include "event/loop.h"
#include "sidecar/history.h"
#include "sidecar/overview.h"
#include "sidecar/supervisor.h"

namespace walrelay::sidecar {

class Recorder {
 public:
  // Both outlive this.
  Recorder(event::Loop& loop, Supervisor& supervisor);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] Overview overview();  // as of now
  [[nodiscard]] const History& history() const { return history_; }
  // The longest that the loop was late within the last minute or two, in milliseconds.
  [[nodiscard]] std::int64_t longest_delay_ms() const;

 private:
  void look();

  Supervisor& supervisor_;
  const std::int64_t started_us_;
  History history_;
  std::int64_t due_ms_ = 0;                          // of the next look, on the monotonic clock
  std::int64_t delay_ms_ = 0, delay_before_ms_ = 0;  // the longest of this minute and of the one before
  int looks_ = 0;
  event::Timer timer_;
};

}  // namespace walrelay::sidecar
