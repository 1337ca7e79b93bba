// Whether a server keeps JSON documents.
#pragma once

#include "event/task.h"
#include "sinks/redis_connection.h"

namespace walrelay::sinks {

// It has the command JSON.SET, of the module RedisJSON or its own. Throws RedisError.
event::Task<bool> has_json_documents(RedisConnection& connection);

}  // namespace walrelay::sinks
