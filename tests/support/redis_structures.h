// Whatever stands in Redis, as members and values, so that PostgreSQL can say in SQL what it must be.
//
//   set      member -> ""            sorted set   member -> score      hash   field -> value
//   bitmap   offset -> ""            roaring      value -> ""          string ""    -> value
//   document of RedisJSON   "" -> its text
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/eventually.h"
#include "tests/support/redis_server.h"

namespace walrelay::support {

using Members = std::map<std::string, std::string>;
using Structures = std::map<std::string, Members>;  // by key

// The keys that match. Strings whose key has ":bits:" in it are bitmaps, ":roaring:" RoaringBitmaps.
Structures structures(RedisClient& redis, const std::string& pattern);

// The first difference, for a failure message; empty: none.
std::string difference(const Structures& found, const Structures& expected);

// Waits until `found` gives what is wanted.
template <class Found>
testing::AssertionResult become_equal(const Found& found, const Structures& wanted) {
  return eventually([&] {
    const std::string differs = difference(found(), wanted);
    return differs.empty() ? testing::AssertionSuccess() : testing::AssertionFailure() << differs;
  });
}

}  // namespace walrelay::support
