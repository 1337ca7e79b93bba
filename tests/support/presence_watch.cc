#include "tests/support/presence_watch.h"

namespace walrelay::support {

namespace {

Onlooker::Look looks_for(const std::vector<std::string>& keys) {
  std::vector<std::string> question{"EXISTS"};
  question.insert(question.end(), keys.begin(), keys.end());
  return [question, all = std::to_string(keys.size())](RedisClient& redis) -> std::optional<std::string> {
    const RedisReply there = redis.call(question);
    if (there.type == '-') return std::nullopt;  // it is loading its file
    return there.text == all ? "" : there.text + " of " + all + " keys";
  };
}

}  // namespace

PresenceWatch::PresenceWatch(const std::string& redis_socket, const std::vector<std::string>& keys)
    : Onlooker(redis_socket, looks_for(keys)) {}

}  // namespace walrelay::support
