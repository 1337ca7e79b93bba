// A reader of Redis that never looks away: asks again and again, in a thread of its own, and remembers every look that
// saw what must never be seen.
//
//   Onlooker onlooker(redis.socket_path(), [](RedisClient& redis) -> std::optional<std::string> {
//     return redis.command("EXISTS", "user:1") == "1" ? "" : "user:1 is missing";
//   });
//   ...
//   onlooker.stop();
//   EXPECT_EQ(onlooker.offences(), "");
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/redis_server.h"

namespace walrelay::support {

class Onlooker {
 public:
  // What is wrong, "" when nothing is; no value when Redis could not tell. A server that is away is no offence.
  using Look = std::function<std::optional<std::string>(RedisClient&)>;

  Onlooker(const std::string& redis_socket, Look look);
  ~Onlooker() { stop(); }
  Onlooker(const Onlooker&) = delete;
  Onlooker& operator=(const Onlooker&) = delete;

  void stop();
  [[nodiscard]] std::uint64_t looks() const { return looks_; }  // that Redis answered
  [[nodiscard]] std::string offences();

 private:
  void watch();
  const std::string socket_;
  const Look look_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> looks_ = 0;
  std::mutex guard_;
  std::string offences_;
  std::thread thread_;
};

}  // namespace walrelay::support
