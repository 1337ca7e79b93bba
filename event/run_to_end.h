// For commands: one task on a loop of its own.
#pragma once

#include <exception>
#include <utility>

#include "event/loop.h"
#include "event/task.h"

namespace walrelay::event {

// Runs the loop until the task is over; throws what ended it. Not from within the loop.
inline void run_to_end(Loop& loop, Task<> task) {
  std::exception_ptr failure;
  Job job(loop, std::move(task), [&](std::exception_ptr error) {
    failure = std::move(error);
    loop.stop();
  });
  loop.run();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace walrelay::event
