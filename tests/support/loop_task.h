// Runs a task on a loop until it is over, and gives its value or throws its exception: how a test calls a coroutine.
//
//   const Result rows = run_task(loop, connection.query("SELECT 1", "ask"));
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "event/loop.h"
#include "event/task.h"

namespace walrelay::support {

constexpr std::chrono::milliseconds kTaskPatience{30000};

template <class T>
event::Task<> keep_value(event::Task<T> task, std::optional<T>& value) {
  value = co_await std::move(task);
}

// Runs the loop until `over` says so (asked at the end of each turn). Throws when that takes too long.
template <class Condition>
void run_until(event::Loop& loop, const Condition& over) {
  bool late = false;
  event::Timer limit(loop, [&] { late = true; });
  limit.start(kTaskPatience);
  while (!over() && !late) uv_run(loop.raw(), UV_RUN_ONCE);
  if (late) throw std::runtime_error("the loop did not come to the expected state in time");
}

inline void run_task(event::Loop& loop, event::Task<> task) {
  bool over = false;
  std::exception_ptr error;
  const event::Job job(loop, std::move(task), [&](std::exception_ptr outcome) {
    over = true;
    error = std::move(outcome);
  });
  run_until(loop, [&] { return over; });
  if (error) std::rethrow_exception(error);
}

template <class T>
T run_task(event::Loop& loop, event::Task<T> task) {
  std::optional<T> value;
  run_task(loop, keep_value(std::move(task), value));
  return std::move(*value);
}

}  // namespace walrelay::support
