#include "sidecar/json_documents.h"

#include "sidecar/log.h"
#include "sidecar/wiring.h"
#include "sinks/redis_json.h"

namespace walrelay::sidecar {

event::Task<> learn_json_documents(event::Loop& loop, const config::Target& target, sinks::MappingSet& mappings) {
  if (!mappings.has_kind("json")) co_return;
  sinks::RedisConnection redis(loop, redis_options(target));
  try {
    auto opening = redis.open();
    co_await std::move(opening);
    auto asking = sinks::json_documents(redis);
    const sinks::JsonDocuments documents = co_await std::move(asking);
    mappings.set_json_documents(documents);
  } catch (const sinks::RedisError& error) {
    log::warn("whether Redis keeps JSON documents is not known, and the kind json is shown as strings: " +
              std::string(error.what()));
  }
}

}  // namespace walrelay::sidecar
