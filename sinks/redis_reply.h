// Reply objects of hiredis without its allocations, and what their texts mean.
//
// A batch of a thousand rows is answered by a thousand "+QUEUED" and one array of small integers. hiredis allocates
// two or three times for each; here they are shared constants, and everything else is one allocation.
#pragma once

#include <string>
#include <string_view>

#include "sinks/hiredis.h"
#include "sinks/redis_connection.h"

namespace walrelay::sinks {

// To be set in a reader before it has read anything; the replies are freed by free_reply().
redisReplyObjectFunctions* reply_functions();
void free_reply(void* reply) noexcept;

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { free_reply(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

inline std::string_view text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
}
inline bool is_status(const redisReply& reply, std::string_view text) {
  return reply.type == REDIS_REPLY_STATUS && text_of(reply) == text;
}

Reply to_reply(const redisReply& reply);

// The first word of an error reply.
std::string error_code(std::string_view error);

// An error reply's text, without what Redis repeats of a command's arguments: those are values of rows.
std::string without_arguments(std::string_view error);

}  // namespace walrelay::sinks
