// How long a loop has slept: what is left of the time is what this process works. For metrics.
#pragma once

#include <chrono>

#include "event/loop.h"

namespace walrelay::event {

// Since the loop began to run; includes the sleep that is under way.
std::chrono::nanoseconds idle_time(Loop& loop);

}  // namespace walrelay::event
