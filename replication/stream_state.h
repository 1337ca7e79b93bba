// What a Stream is made of. Private to stream.cc (receiving) and stream_status.cc (what the server is told).
//
//   made ──start()──> streaming ──finish()──> finishing ──> over
//                         └────── the server's end, an error ──────^
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string_view>

#include "replication/frame.h"
#include "replication/stream.h"
#include "replication/wakeup_pace.h"

namespace walrelay::replication {

struct Stream::State {
  using Clock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { made, streaming, finishing, over };

  State(event::Loop& on, Connection& from, StreamHandler& to, std::chrono::milliseconds interval);

  void start(Phase next);
  void on_ready(int directions) noexcept;
  void go_on() noexcept;
  void on_timer() noexcept;
  void read_and_drain();
  bool read_all(std::size_t& delivered);
  bool drain(std::size_t& delivered);
  bool deliver(std::string_view copy_data);
  void on_keepalive(const Keepalive& keepalive);
  void send_status(Lsn flush, bool reply_requested);
  void put(std::string_view status);
  void watch();
  void end(std::exception_ptr error);

  event::Loop& loop;
  Connection& connection;
  StreamHandler& handler;
  std::chrono::milliseconds status_interval;
  Phase phase = Phase::made;
  bool paused = false;
  Clock::time_point paused_since;
  bool resume_asked = false;  // from inside the handler's own call
  bool output_left = false;
  WakeupPace pace;
  Lsn received = Lsn::invalid;
  Lsn confirmed = Lsn::invalid;
  StreamCounters counters;
  std::exception_ptr error;
  std::optional<event::Poll> poll;
  event::Timer status_timer;
  event::Deferred more;    // libpq holds messages that the socket will not announce
  event::Nap rest;         // nobody watches the socket
  event::Deferred report;  // the end
  event::Event finished;
};

}  // namespace walrelay::replication
