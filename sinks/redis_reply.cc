#include "sinks/redis_reply.h"

#include <array>
#include <cstdlib>
#include <cstring>

namespace walrelay::sinks {
namespace {

constexpr long long kSmallIntegers = 64;

struct Shared {
  redisReply ok = status(ok_text_, 2);
  redisReply queued = status(queued_text_, 6);
  redisReply nil = with_type(REDIS_REPLY_NIL);
  std::array<redisReply, kSmallIntegers> integers{};

  Shared() {
    for (std::size_t i = 0; i < integers.size(); ++i) {
      integers[i] = with_type(REDIS_REPLY_INTEGER);
      integers[i].integer = static_cast<long long>(i);
    }
  }
  [[nodiscard]] bool owns(const redisReply* reply) const {
    return reply == &ok || reply == &queued || reply == &nil || (reply >= integers.data() && reply < &*integers.end());
  }

 private:
  static redisReply with_type(int type) {
    redisReply reply{};
    reply.type = type;
    return reply;
  }
  static redisReply status(char* text, std::size_t size) {
    redisReply reply = with_type(REDIS_REPLY_STATUS);
    reply.str = text;
    reply.len = size;
    return reply;
  }
  static inline char ok_text_[] = "OK";
  static inline char queued_text_[] = "QUEUED";
};

Shared& shared() {
  static Shared constants;
  return constants;
}

// The reader keeps the root itself; an element is put into its parent here.
void* placed(const redisReadTask* task, redisReply* reply) {
  if (task->parent != nullptr && reply != nullptr) {
    static_cast<redisReply*>(task->parent->obj)->element[task->idx] = reply;
  }
  return reply;
}

// One allocation: the object, then `extra` bytes.
redisReply* allocate(const redisReadTask* task, std::size_t extra) {
  auto* reply = static_cast<redisReply*>(std::calloc(1, sizeof(redisReply) + extra));
  if (reply != nullptr) reply->type = task->type;
  return reply;
}

void* create_string(const redisReadTask* task, char* text, std::size_t size) {
  const std::string_view bytes(text, size);
  if (task->type == REDIS_REPLY_STATUS) {
    if (bytes == "QUEUED") return placed(task, &shared().queued);
    if (bytes == "OK") return placed(task, &shared().ok);
  }
  redisReply* reply = allocate(task, size + 1);
  if (reply == nullptr) return nullptr;
  reply->str = reinterpret_cast<char*>(reply + 1);
  reply->len = size;
  std::memcpy(reply->str, text, size);
  return placed(task, reply);
}

void* create_array(const redisReadTask* task, std::size_t elements) {
  redisReply* reply = allocate(task, elements * sizeof(redisReply*));
  if (reply == nullptr) return nullptr;
  reply->elements = elements;
  reply->element = reinterpret_cast<redisReply**>(reply + 1);
  return placed(task, reply);
}

void* create_integer(const redisReadTask* task, long long value) {
  if (value >= 0 && value < kSmallIntegers) {
    return placed(task, &shared().integers[static_cast<std::size_t>(value)]);
  }
  redisReply* reply = allocate(task, 0);
  if (reply == nullptr) return nullptr;
  reply->integer = value;
  return placed(task, reply);
}

void* create_double(const redisReadTask* task, double, char* text, std::size_t size) {
  return create_string(task, text, size);
}

void* create_nil(const redisReadTask* task) { return placed(task, &shared().nil); }

void* create_bool(const redisReadTask* task, int value) { return create_integer(task, value != 0 ? 1 : 0); }

}  // namespace

void free_reply(void* object) noexcept {
  auto* reply = static_cast<redisReply*>(object);
  if (reply == nullptr || shared().owns(reply)) return;
  for (std::size_t i = 0; i < reply->elements; ++i) free_reply(reply->element[i]);
  std::free(reply);
}

redisReplyObjectFunctions* reply_functions() {
  static redisReplyObjectFunctions functions{create_string, create_array, create_integer, create_double,
                                             create_nil,    create_bool,  free_reply};
  return &functions;
}

Reply to_reply(const redisReply& reply) {
  Reply out;
  switch (reply.type) {
    case REDIS_REPLY_NIL:
      break;
    case REDIS_REPLY_INTEGER:
      out.kind = Reply::Kind::integer;
      out.integer = reply.integer;
      break;
    case REDIS_REPLY_STATUS:
      out.kind = Reply::Kind::status;
      out.text = text_of(reply);
      break;
    case REDIS_REPLY_ERROR:
      out.kind = Reply::Kind::error;
      out.text = text_of(reply);
      break;
    case REDIS_REPLY_ARRAY:
      out.kind = Reply::Kind::array;
      out.elements.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) out.elements.push_back(to_reply(*reply.element[i]));
      break;
    default:
      out.kind = Reply::Kind::string;
      out.text = text_of(reply);
  }
  return out;
}

std::string error_code(std::string_view error) { return std::string(error.substr(0, error.find(' '))); }

std::string without_arguments(std::string_view error) {
  return std::string(error.substr(0, error.find(", with args beginning with")));
}

}  // namespace walrelay::sinks
