#include "tests/support/presence_watch.h"

#include <utility>

namespace walrelay::support {

PresenceWatch::PresenceWatch(const std::string& redis_socket, std::vector<std::string> keys)
    : socket_(redis_socket), keys_(std::move(keys)), thread_([this] { watch(); }) {}

void PresenceWatch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string PresenceWatch::offences() {
  const std::lock_guard lock(guard_);
  return offences_;
}

void PresenceWatch::watch() {
  std::vector<std::string> question{"EXISTS"};
  question.insert(question.end(), keys_.begin(), keys_.end());
  const std::string all = std::to_string(keys_.size());
  RedisClient redis(socket_);
  const auto stopping = [this] { return stopping_.load(); };
  while (!wait_until(stopping, milliseconds(1))) {
    try {
      const RedisReply there = redis.call(question);
      if (there.type == '-') continue;  // it is loading its file
      ++looks_;
      const std::lock_guard lock(guard_);
      if (there.text == all || offences_.size() > 2000) continue;
      offences_ += "\nlook " + std::to_string(looks_) + ": " + there.text + " of " + all + " keys";
    } catch (const std::exception&) {
      redis.disconnect();  // it is being restarted
    }
  }
}

}  // namespace walrelay::support
