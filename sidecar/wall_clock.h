// The time of day, for records that people and other processes read.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace walrelay::sidecar {

inline std::int64_t wall_clock_us() {  // since 1970, of this machine
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string iso_time(std::int64_t us);  // since 1970: "2026-02-05T10:00:00.500Z"

}  // namespace walrelay::sidecar
