// A fake Redis and what every test of a connection to it needs.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/redis_connection.h"
#include "tests/support/fake_redis.h"
#include "tests/support/loop_task.h"
#include "tests/support/sink_session.h"

namespace walrelay::sinks {

using support::FakeRedis;
using testing::ElementsAre;
using testing::HasSubstr;
using Words = FakeRedis::Words;
using namespace support::resp_reply;

class RedisConnectionTest : public testing::Test {
 protected:
  RedisError open_error(RedisConnection& connection) {
    return error_from([&] { run_task(loop, connection.open()); });
  }
  event::Loop loop;
  FakeRedis server{loop};
};

}  // namespace walrelay::sinks
