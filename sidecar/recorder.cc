#include "sidecar/recorder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kLook{1000};
constexpr int kLooksOfAMinute = 60;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<event::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Recorder::Recorder(event::Loop& loop, Supervisor& supervisor)
    : supervisor_(supervisor), started_us_(wall_clock_us()), timer_(loop, [this] { look(); }) {
  history_.sample(supervisor.status(), started_us_);
  due_ms_ = steady_ms() + kLook.count();
  timer_.start(kLook, kLook);
}

void Recorder::look() {
  const std::int64_t now = steady_ms();
  delay_ms_ = std::max(delay_ms_, now - due_ms_);
  due_ms_ = now + kLook.count();
  if (++looks_ % kLooksOfAMinute == 0) delay_before_ms_ = std::exchange(delay_ms_, 0);
  history_.sample(supervisor_.status(), wall_clock_us());
}

std::int64_t Recorder::longest_delay_ms() const { return std::max(delay_ms_, delay_before_ms_); }

Overview Recorder::overview() {
  const Status& status = supervisor_.status();
  return {status,
          history_,
          supervisor_.jobs(),
          supervisor_.in_force().config,
          supervisor_.mapping_names(),
          supervisor_.tables(),
          wall_clock_us(),
          started_us_};
}

}  // namespace walrelay::sidecar
