// A reader of Redis that never looks away: polls the versions of some keys of a workload (workload.h) and remembers
// every one that shrank, and every time that the twins, which each transaction changes together, did not agree.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/redis_server.h"

namespace walrelay::support {

class VersionWatch {
 public:
  // `sessions` of the workload: so many pairs of twins.
  VersionWatch(const std::string& redis_socket, int sessions);
  ~VersionWatch() { stop(); }
  VersionWatch(const VersionWatch&) = delete;
  VersionWatch& operator=(const VersionWatch&) = delete;

  void stop();
  [[nodiscard]] std::uint64_t looks() const { return looks_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }  // versions that were new
  [[nodiscard]] std::string offences();

 private:
  void watch();
  void look_at_keys(RedisClient& redis);
  void look_at_twins(RedisClient& redis);
  void see(const std::string& key, const RedisReply& version);
  void offend(const std::string& what);
  const std::string socket_;
  const int sessions_;
  std::map<std::string, std::uint64_t> seen_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> looks_ = 0, changes_ = 0;
  std::mutex guard_;
  std::string offences_;
  std::thread thread_;
};

}  // namespace walrelay::support
