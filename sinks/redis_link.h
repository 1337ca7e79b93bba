// One socket to Redis: hiredis' context, its TLS, and the poll on its descriptor.
//
//   construct ──writable──> finish_connect() ──> [ start_tls(), handshake() until it is over ] ──> read(), write()
//
// hiredis is used through its low-level interface, without blocking: its asynchronous context allocates a callback for
// every reply, which a thousand "+QUEUED" per batch cannot afford.
#pragma once

#include <memory>
#include <string>

#include "event/loop.h"
#include "sinks/redis_connection.h"
#include "sinks/redis_outbox.h"
#include "sinks/redis_reply.h"
#include "sinks/redis_tls.h"

namespace walrelay::sinks {

class RedisLink {
 public:
  // Starts to connect to a numeric address, or to the options' unix path when it is empty. Throws RedisError.
  RedisLink(event::Loop& loop, const RedisOptions& options, const std::string& address,
            std::function<void(int directions)> on_ready);

  // These throw RedisError; the message is the bare cause.
  void finish_connect();  // once the socket was reported writable
  void start_tls();
  [[nodiscard]] bool handshake();  // true: over. false: watches what it waits for

  void watch(int directions) { poll_->watch(directions); }

  // Writes until the socket takes no more, or the budget of one turn is spent, and watches accordingly. False: broken.
  [[nodiscard]] bool write(RedisOutbox& outbox);

  enum class Read : std::uint8_t { some, more, broken };  // more: the library may hold bytes that no poll reports
  [[nodiscard]] Read read();
  // The next complete reply, or null. Throws RedisError("LOST") when the bytes are no protocol.
  // Takes these bytes from what was read if the next reply is exactly they; so_far: as much of it as is here.
  enum class Match : std::uint8_t { yes, no, so_far };
  Match take(std::string_view reply);
  ReplyPtr next_reply();

  [[nodiscard]] std::string failure() const;  // why read() or write() said broken

 private:
  void drop_taken();
  void tune_socket();

  struct FreeContext {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
  };
  std::size_t matched_ = 0;  // bytes of the reply that take() was asked for last and will be asked for again
  const RedisOptions& options_;
  std::unique_ptr<redisContext, FreeContext> context_;
  SSL* ssl_ = nullptr;                 // owned by the context
  std::unique_ptr<event::Poll> poll_;  // after the context: polling ends before the descriptor is closed
};

}  // namespace walrelay::sinks
