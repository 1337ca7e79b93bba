#include "sinks/redis_json.h"

namespace walrelay::sinks {

// A command that is not known is described by nil.
event::Task<JsonDocuments> json_documents(RedisConnection& connection) {
  auto asking = connection.command({"COMMAND", "INFO", "JSON.SET", "JSON.MERGE"});
  const Reply described = co_await std::move(asking);
  const auto has = [&described](std::size_t command) {
    return described.elements.size() > command && !described.elements[command].elements.empty();
  };
  if (!has(0)) co_return JsonDocuments::none;
  co_return has(1) ? JsonDocuments::set_and_merge : JsonDocuments::set;
}

}  // namespace walrelay::sinks
