// How far a job is, for whoever waits for it: a bar on a terminal, else a line of the log every ten seconds. On stderr.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "sidecar/job.h"

namespace walrelay::sidecar {

// "rebuild users  reading  [=====>    ]  52 %  1,040 of 2,000 rows  500 rows/s  2 s left", in so many columns.
std::string progress_bar(const Job& job, std::int64_t now_us, std::size_t columns);

class JobProgress {
 public:
  void show(const Job& job);
  void clear();  // the bar goes away: results follow

 private:
  using Clock = std::chrono::steady_clock;
  std::map<std::string, Clock::time_point> said_;  // by slice
};

}  // namespace walrelay::sidecar
