#include "sidecar/eviction.h"

#include <algorithm>

namespace walrelay::sidecar {

event::Task<std::string> eviction_policy(sinks::RedisConnection& redis) {
  std::string policy;
  try {
    auto asking = redis.command({"INFO", "memory"});
    const sinks::Reply info = co_await std::move(asking);
    const std::string name = "maxmemory_policy:";
    const std::size_t at = info.text.find(name);
    if (at != std::string::npos) {
      const std::size_t begin = at + name.size();
      policy = info.text.substr(begin, info.text.find_first_of("\r\n", begin) - begin);
    }
  } catch (const sinks::RedisError&) {
    if (!redis.is_open()) throw;
  }
  co_return policy;
}

std::string eviction_refusal(const std::string& policy, const std::vector<sinks::MappingSpec>& mappings) {
  if (!policy.starts_with("allkeys")) return "";
  std::string names;
  for (const sinks::MappingSpec& mapping : mappings) {
    const bool shares = std::any_of(mapping.writes.begin(), mapping.writes.end(),
                                    [](const sinks::WriteSpec& write) { return sinks::shares_keys(write.kind); });
    if (shares && !mapping.allow_eviction) names += (names.empty() ? "" : ", ") + mapping.name;
  }
  if (names.empty()) return "";
  return "maxmemory-policy is " + policy + ": a key that rows share (mapping " + names +
         ") could be evicted, and would come back with only what was written since; set noeviction, or say " +
         "allow_eviction: true in the mapping";
}

std::string eviction_warning(const std::string& policy, const std::vector<sinks::MappingSpec>& mappings) {
  const std::string is = "maxmemory-policy is " + policy + ": Redis may forget ";
  if (policy.starts_with("allkeys")) {
    return is +
           "rows that nobody will write again, and how far walrelay is; set noeviction, or set verify.interval "
           "and verify.on_difference: repair";
  }
  const bool expiring = std::any_of(mappings.begin(), mappings.end(), [](const sinks::MappingSpec& mapping) {
    return std::any_of(mapping.writes.begin(), mapping.writes.end(),
                       [](const sinks::WriteSpec& write) { return write.parameters.count("ttl") != 0; });
  });
  if (policy.starts_with("volatile") && policy != "volatile-ttl" && expiring) {
    return is + "keys with a ttl before their time";
  }
  return "";
}

}  // namespace walrelay::sidecar
