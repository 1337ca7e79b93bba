// A reader of Redis that never looks away: asks again and again whether keys that are never to go are there, and
// remembers every look that missed one.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/redis_server.h"

namespace walrelay::support {

class PresenceWatch {
 public:
  PresenceWatch(const std::string& redis_socket, std::vector<std::string> keys);
  ~PresenceWatch() { stop(); }
  PresenceWatch(const PresenceWatch&) = delete;
  PresenceWatch& operator=(const PresenceWatch&) = delete;

  void stop();
  [[nodiscard]] std::uint64_t looks() const { return looks_; }  // that Redis answered
  [[nodiscard]] std::string offences();

 private:
  void watch();
  const std::string socket_;
  const std::vector<std::string> keys_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> looks_ = 0;
  std::mutex guard_;
  std::string offences_;
  std::thread thread_;
};

}  // namespace walrelay::support
