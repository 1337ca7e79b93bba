#include "event/crash_point.h"

#ifdef WALRELAY_CRASH_POINTS

#include <csignal>
#include <cstdlib>

namespace walrelay::event {

void crash_point() noexcept {
  static long left = [] {
    const char* at = std::getenv("WALRELAY_CRASH_AT");
    return at == nullptr ? 0L : std::atol(at);
  }();
  if (left > 0 && --left == 0) std::raise(SIGKILL);
}

}  // namespace walrelay::event

#endif
