// A fake Redis and what every test of a connection to it needs.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/redis_connection.h"
#include "tests/support/fake_redis.h"
#include "tests/support/loop_task.h"

namespace walrelay::sinks {

using support::FakeRedis;
using support::run_task;
using support::run_until;
using testing::ElementsAre;
using testing::HasSubstr;
using Words = FakeRedis::Words;
using namespace support::resp_reply;

inline RedisError error_of(const std::exception_ptr& why) {
  try {
    if (why) std::rethrow_exception(why);
  } catch (const RedisError& error) {
    return error;
  }
  return RedisError("", "no error");
}

template <class Call>
RedisError error_from(const Call& call) {
  try {
    call();
  } catch (const RedisError& error) {
    return error;
  }
  return RedisError("", "no error");
}

class RedisConnectionTest : public testing::Test {
 protected:
  RedisError open_error(RedisConnection& connection) {
    return error_from([&] { run_task(loop, connection.open()); });
  }
  event::Loop loop;
  FakeRedis server{loop};
};

}  // namespace walrelay::sinks
