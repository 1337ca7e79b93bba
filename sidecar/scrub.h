// Comparing everything with Redis for ever, slowly: verify.interval.
//
//   every second: is a mapping due, and nothing being compared? ─> a verify job on the board
//
// When a mapping was compared last stands in the board's records, so a restart does not begin anew.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "event/loop.h"
#include "sidecar/job.h"

namespace walrelay::sidecar {

struct ScrubOptions {
  event::milliseconds interval{0};  // 0: never
  std::uint64_t rate = 0;           // rows a second
  bool repair = false;
};

class Scrub {
 public:
  Scrub(event::Loop& loop, ScrubOptions options, JobBoard& board);
  void start();
  std::function<std::vector<std::string>()> mapping_names;
  std::function<void()> on_requested;

 private:
  void look();
  const ScrubOptions options_;
  JobBoard& board_;
  event::Timer timer_;
};

}  // namespace walrelay::sidecar
