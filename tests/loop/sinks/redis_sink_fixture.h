// A sink on a fake Redis.
#pragma once

#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {

class RedisSinkTest : public testing::Test {
 protected:
  static RedisSinkOptions options() {
    RedisSinkOptions options;
    options.slot = "s";
    options.flush.interval = event::milliseconds(0);
    options.describe = [](std::uint32_t write) { return "mapping m" + std::to_string(write); };
    return options;
  }
  [[nodiscard]] std::string value_of(const std::string& key) const {
    const auto fields = server.hash(key);
    const auto found = fields.find("v");
    return found == fields.end() ? "" : found->second;
  }
  [[nodiscard]] std::string stated(const std::string& field) const {
    const auto fields = server.hash("walrelay:{s}:checkpoint");
    const auto found = fields.find(field);
    return found == fields.end() ? "" : found->second;
  }
  [[nodiscard]] std::vector<std::string> names_seen(std::size_t from = 0) const {
    std::vector<std::string> names;
    for (std::size_t i = from; i < server.seen.size(); ++i) names.push_back(server.seen[i][0]);
    return names;
  }
  [[nodiscard]] std::size_t count_seen(const std::string& name) const {
    const auto names = names_seen();
    return static_cast<std::size_t>(std::count(names.begin(), names.end(), name));
  }

  event::Loop loop;
  FakeRedis server{loop};
};

}  // namespace walrelay::sinks
