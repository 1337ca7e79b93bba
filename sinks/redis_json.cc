#include "sinks/redis_json.h"

namespace walrelay::sinks {

// A command that is not known is described by nil.
event::Task<bool> has_json_documents(RedisConnection& connection) {
  auto asking = connection.command({"COMMAND", "INFO", "JSON.SET"});
  const Reply described = co_await std::move(asking);
  co_return !described.elements.empty() && described.elements.front().kind == Reply::Kind::array &&
      !described.elements.front().elements.empty();
}

}  // namespace walrelay::sinks
