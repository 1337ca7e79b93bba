// The members of one key that rows share, page by page, whatever structure it is.
//
//   hash, set, sorted set   HSCAN, SSCAN, ZSCAN
//   bitmap                  GETRANGE, a piece at a time: the offsets of its bits
//   roaring                 GET: its values
//
// A key of another type, or one that is gone, has none. As with every scan a member may come twice.
#pragma once

#include <string>
#include <vector>

#include "event/task.h"
#include "sinks/mapping.h"
#include "sinks/redis_connection.h"

namespace walrelay::sinks {

class RedisMembers {
 public:
  RedisMembers(RedisConnection& connection, std::string key, OwnedKeys::Members members)
      : connection_(connection), key_(std::move(key)), members_(members) {}

  event::Task<std::vector<std::string>> next();  // throws RedisError
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  event::Task<Reply> ask(std::vector<std::string> command);
  std::vector<std::string> scanned(const Reply& reply);
  std::vector<std::string> bits(const std::string& piece);

  RedisConnection& connection_;
  const std::string key_;
  const OwnedKeys::Members members_;
  std::string cursor_ = "0";
  std::size_t offset_ = 0;  // bytes of a bitmap
  bool ended_ = false;
};

}  // namespace walrelay::sinks
