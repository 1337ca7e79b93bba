// What a server takes.
#pragma once

#include <cstddef>

#include "event/task.h"
#include "sinks/redis_connection.h"

namespace walrelay::sinks {

// Its proto-max-bulk-len, in bytes; what Redis has by default where it will not say (CONFIG is often forbidden). Throws
// RedisError when the connection is lost.
event::Task<std::size_t> longest_argument(RedisConnection& connection);

}  // namespace walrelay::sinks
