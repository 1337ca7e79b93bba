// Whether a server keeps JSON documents.
#pragma once

#include "event/task.h"
#include "sinks/redis_connection.h"
#include "sinks/write.h"

namespace walrelay::sinks {

// Which of their commands it has, of the module RedisJSON or its own. Throws RedisError.
event::Task<JsonDocuments> json_documents(RedisConnection& connection);

}  // namespace walrelay::sinks
