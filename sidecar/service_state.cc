#include "sidecar/service_state.h"

#include <algorithm>

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kStatusEvery{3000};

}  // namespace

ServiceState::ServiceState(event::Loop& loop, Notifier& notifier, std::function<std::string()> sentence)
    : notifier_(notifier),
      sentence_(std::move(sentence)),
      watchdog_(loop, [this] { notifier_.watchdog(); }),
      status_(loop, [this] { say(); }) {
  if (!notifier_.listening()) return;
  status_.start(event::milliseconds(0), kStatusEvery);
  if (const auto interval = watchdog_interval()) {
    const auto half = std::chrono::duration_cast<event::milliseconds>(*interval / 2);
    const auto period = std::max(half, event::milliseconds(1));
    watchdog_.start(event::milliseconds(0), period);
  }
}

void ServiceState::say() {
  std::string line = sentence_();
  std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (line == said_) return;
  notifier_.status(line);
  said_ = std::move(line);
}

}  // namespace walrelay::sidecar
