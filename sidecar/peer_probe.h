// Whether PostgreSQL and Redis answer while no session is connected to them: a session connects to Redis first, so that
// one of the two that is away hides the other. Each is asked on a short connection of its own, and only then.
//
// PostgreSQL is also asked for the slot every few seconds: its WAL piles up exactly while nobody streams.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "event/loop.h"
#include "event/task.h"
#include "sidecar/supervisor.h"

namespace walrelay::sidecar {

struct Peers {
  bool postgres = false, redis = false;
  std::string postgres_error, redis_error;  // why not
};

class PeerProbe {
 public:
  // Both outlive this.
  PeerProbe(event::Loop& loop, Supervisor& supervisor);
  PeerProbe(const PeerProbe&) = delete;
  PeerProbe& operator=(const PeerProbe&) = delete;

  // Answers at once where a session is connected to both, else within a few seconds.
  using Answer = std::function<void(const Peers&)>;
  void ask(Answer answer);

 private:
  using Clock = std::chrono::steady_clock;
  // One look at one peer. The configuration is a copy: the one in force may be replaced meanwhile.
  struct Look {
    config::Config config;
    std::optional<event::Job> job;  // stays after its end, until the next look: it must not go in its own report
    bool running = false, connected = false;
    Clock::time_point ended;
    std::string error;
  };
  event::Task<> look_at_postgres();
  event::Task<> look_at_redis();
  void begin(Look& look, event::Task<> (PeerProbe::*task)());
  void ended(Look& look, const std::exception_ptr& error);
  void answer_if_known();
  void tick();

  event::Loop& loop_;
  Supervisor& supervisor_;
  Look postgres_, redis_;
  std::vector<Answer> waiting_;
  event::Timer timer_;
};

}  // namespace walrelay::sidecar
