#include "event/idle_time.h"

namespace walrelay::event {

std::chrono::nanoseconds idle_time(Loop& loop) {
  return std::chrono::nanoseconds(uv_metrics_idle_time(loop.raw())) + loop.napped();
}

}  // namespace walrelay::event
