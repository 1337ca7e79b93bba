#include "sinks/redis_limits.h"

#include <charconv>

#include "sinks/mapping.h"

namespace walrelay::sinks {

event::Task<std::size_t> longest_argument(RedisConnection& connection) {
  std::size_t bytes = kLongestArgument;
  try {
    auto asking = connection.command({"CONFIG", "GET", "proto-max-bulk-len"});
    const Reply reply = co_await std::move(asking);
    if (reply.elements.size() == 2) {
      const std::string& text = reply.elements[1].text;
      std::from_chars(text.data(), text.data() + text.size(), bytes);
    }
  } catch (const RedisError&) {
    if (!connection.is_open()) throw;
  }
  co_return bytes;
}

}  // namespace walrelay::sinks
