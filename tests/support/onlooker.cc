#include "tests/support/onlooker.h"

#include <utility>

namespace walrelay::support {

Onlooker::Onlooker(const std::string& redis_socket, Look look)
    : socket_(redis_socket), look_(std::move(look)), thread_([this] { watch(); }) {}

void Onlooker::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string Onlooker::offences() {
  const std::lock_guard lock(guard_);
  return offences_;
}

void Onlooker::watch() {
  RedisClient redis(socket_);
  const auto stopping = [this] { return stopping_.load(); };
  while (!wait_until(stopping, milliseconds(1))) {
    try {
      const auto seen = look_(redis);
      if (!seen) continue;
      ++looks_;
      const std::lock_guard lock(guard_);
      if (seen->empty() || offences_.size() > 2000) continue;
      offences_ += "\nlook " + std::to_string(looks_) + ": " + *seen;
    } catch (const std::exception&) {
      redis.disconnect();  // it is being restarted
    }
  }
}

}  // namespace walrelay::support
