// How full Redis is and how well it is used: INFO on a connection of its own, a few times a minute.
//
//   start ─> connect ─> INFO ─> figures ─> wait ─> INFO ...
//              └── fails: the figures are not known any more; tried again after the wait
//
// The stream never waits for it (an open MULTI may stand on the sink's own connection), and nothing that goes wrong
// here ends the session: who may not ask for INFO simply has no figures.
#pragma once

#include <string_view>

#include "event/loop.h"
#include "event/task.h"
#include "sidecar/status.h"
#include "sinks/redis_connection.h"

namespace walrelay::sidecar {

// What INFO says, line by line; not known where the memory used is not among it. Pure.
RedisFigures redis_figures(std::string_view info);

class RedisWatch {
 public:
  // `figures` outlive it, and are not known once it is gone.
  RedisWatch(event::Loop& loop, sinks::RedisOptions options, RedisFigures& figures);
  ~RedisWatch();
  RedisWatch(const RedisWatch&) = delete;
  RedisWatch& operator=(const RedisWatch&) = delete;

 private:
  event::Task<> watch();
  event::Task<> ask();

  event::Loop& loop_;
  sinks::RedisConnection connection_;
  RedisFigures& figures_;
  event::Job job_;
};

}  // namespace walrelay::sidecar
