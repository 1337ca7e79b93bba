// Whether Redis may forget what walrelay has written: its maxmemory-policy.
//
//   noeviction    never; when memory is full commands are refused, and walrelay waits
//   volatile-...  keys with a ttl only
//   allkeys-...   any key, walrelay's own bookkeeping too: it would take Redis for emptied and read every table again
#pragma once

#include <string>

#include "event/task.h"
#include "sinks/mapping.h"
#include "sinks/redis_connection.h"

namespace walrelay::sidecar {

// "allkeys-lru"; empty where Redis would not say (INFO is forbidden to this user).
event::Task<std::string> eviction_policy(sinks::RedisConnection& redis);

// What may be forgotten under this policy, and what to do; empty: nothing.
std::string eviction_warning(const std::string& policy, const std::vector<sinks::MappingSpec>& mappings);

// Why this policy may not be with these mappings, and what to do; empty: it may.
std::string eviction_refusal(const std::string& policy, const std::vector<sinks::MappingSpec>& mappings);

}  // namespace walrelay::sidecar
