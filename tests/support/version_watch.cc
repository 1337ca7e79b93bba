#include "tests/support/version_watch.h"

#include <chrono>

namespace walrelay::support {

VersionWatch::VersionWatch(const std::string& redis_socket, int sessions)
    : socket_(redis_socket), sessions_(sessions), thread_([this] { watch(); }) {}

void VersionWatch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string VersionWatch::offences() {
  const std::lock_guard lock(guard_);
  return offences_;
}

void VersionWatch::offend(const std::string& what) {
  const std::lock_guard lock(guard_);
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  if (offences_.size() < 2000) {
    offences_ += "\n  at second " + std::to_string(now / 1000 % 86400 / 60 % 60) + ":" +
                 std::to_string(now / 1000 % 60) + "." + std::to_string(now % 1000) + " " + what;
  }
}

void VersionWatch::watch() {
  RedisClient redis(socket_);
  const auto stopping = [this] { return stopping_.load(); };
  while (!wait_until(stopping, milliseconds(1))) {
    try {
      look_at_keys(redis);
      look_at_twins(redis);
      ++looks_;
    } catch (const std::exception&) {
      redis.disconnect();  // Redis is being restarted
    }
  }
}

void VersionWatch::look_at_keys(RedisClient& redis) {
  for (int id = 1; id <= 20; ++id) {
    const std::string number = std::to_string(id);
    for (const auto& key : {"item:" + number, "entry:" + number, "event:" + std::to_string(id % 5) + ":" + number}) {
      see(key, redis.call({"HGET", key, "version"}));
    }
  }
  for (int id = 1; id <= 8; ++id) see("doc:" + std::to_string(id), redis.call({"GET", "doc:" + std::to_string(id)}));
  for (const char* key : {"pair::0", "pair:%20:1", "pair:NULL:0", "churn:1:1", "churn:2:2", "parent:1"}) {
    see(key, redis.call({"HGET", key, "version"}));
  }
}

void VersionWatch::see(const std::string& key, const RedisReply& answer) {
  if (answer.type == '-' || answer.null) return;  // loading, or not there
  std::string text = answer.text;
  if (text.starts_with('{')) {
    const std::string member = "\"version\":";
    const auto at = text.find(member);
    if (at == std::string::npos) return offend(key + " has no version");
    text = text.substr(at + member.size(), 20);
  }
  const std::uint64_t version = std::stoull(text);
  std::uint64_t& last = seen_[key];
  if (version < last) {
    offend(key + " went back from version " + std::to_string(last) + " to " + std::to_string(version));
  }
  if (version != last) ++changes_;
  last = version;
}

void VersionWatch::look_at_twins(RedisClient& redis) {
  for (int session = 0; session < sessions_; ++session) {
    const std::string first = "twin:" + std::to_string(2 * session), second = "twin:" + std::to_string(2 * session + 1);
    redis.call({"MULTI"});
    redis.call({"HGET", first, "version"});
    redis.call({"HGET", second, "version"});
    const auto both = redis.call({"EXEC"});
    if (both.elements.size() != 2 || both.elements[0].null || both.elements[1].null) continue;
    if (both.elements[0].text != both.elements[1].text) {
      offend(first + " has version " + both.elements[0].text + " and " + second + " has " + both.elements[1].text +
             ": half a transaction");
    }
    see(first, both.elements[0]);
  }
}

}  // namespace walrelay::support
