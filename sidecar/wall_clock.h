// The time of day, for records that people and other processes read.
#pragma once

#include <chrono>
#include <cstdint>

namespace walrelay::sidecar {

inline std::int64_t wall_clock_us() {  // since 1970, of this machine
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace walrelay::sidecar
