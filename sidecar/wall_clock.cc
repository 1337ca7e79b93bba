#include "sidecar/wall_clock.h"

#include <cstdio>
#include <ctime>

namespace walrelay::sidecar {

std::string iso_time(std::int64_t us) {
  constexpr std::int64_t kSecond = 1000000;
  const auto seconds = static_cast<std::time_t>(us / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%03dZ", static_cast<int>(us % kSecond / 1000));
  return text;
}

}  // namespace walrelay::sidecar
