// Waiting for a condition instead of sleeping, with the last state in the failure's message.
//
//   EXPECT_TRUE(eventually([&] { return redis.command("GET", "k") == "v"; }));
//   EXPECT_TRUE(eventually_equal([&] { return redis.hgetall("user:1"); }, expected));
//
// An exception in the condition means "not yet": a server that is starting refuses connections. It is shown when the
// time is over.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <string>

#include "tests/support/process.h"

namespace walrelay::support {

constexpr milliseconds kPatience = seconds(30);

// `condition` returns bool or testing::AssertionResult; the latter's message is shown on failure.
template <class Condition>
testing::AssertionResult eventually(const Condition& condition, milliseconds timeout = kPatience) {
  testing::AssertionResult last = testing::AssertionFailure() << "the condition was never asked";
  const auto holds = [&] {
    try {
      last = testing::AssertionResult(condition());
    } catch (const std::exception& error) {
      last = testing::AssertionFailure() << "it threw: " << error.what();
    }
    return static_cast<bool>(last);
  };
  if (wait_until(holds, timeout)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "not so after " << timeout.count() << " ms; at last: " << last.message();
}

template <class Actual, class Expected>
testing::AssertionResult eventually_equal(const Actual& actual, const Expected& expected,
                                          milliseconds timeout = kPatience) {
  const auto equal = [&] {
    const auto value = actual();
    if (value == expected) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "it is " << testing::PrintToString(value) << ", expected "
                                       << testing::PrintToString(expected);
  };
  return eventually(equal, timeout);
}

}  // namespace walrelay::support
