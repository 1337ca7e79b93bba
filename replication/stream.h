// The replication stream after START_REPLICATION: delivers CopyData in order until paused, ended or failed, and keeps
// the server informed, also while paused.
//
//   socket readable ─> consume_input ─> drain: next_copy_data ... ─> handler.on_data / on_keepalive
//                                         stops when dry, when the handler says enough, or when the budget is spent;
//                                         the rest of a budget is drained in the next turn, not after the next byte
//   with a backlog ──> the same, after a rest instead of when the socket is readable (wakeup_pace.h)
//   status timer ────> write = received, flush = 0            "still here, no statement about flush"
//   confirm(lsn) ────> write = received, flush = apply = lsn  once for each advance
//
// flush = 0 matters: a withheld flush blocks "pg_ctl stop -m fast" for ever, an invalid one does not, and the slot
// stays where it is (reliability 0.2).
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>

#include "event/loop.h"
#include "event/task.h"
#include "replication/connection.h"
#include "replication/lsn.h"

namespace walrelay::replication {

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // One pgoutput message (borrowed). `server_end` is the server's end of WAL when it was sent, `server_time_us` its
  // clock. False: deliver nothing more until resume().
  virtual bool on_data(std::string_view message, Lsn start, Lsn server_end, std::int64_t server_time_us) = 0;
  // Everything before `server_end` that concerns us has been delivered.
  virtual bool on_keepalive(Lsn server_end, std::int64_t server_time_us) = 0;
  virtual void on_drained() = 0;  // nothing more at hand: the end of a drain
  // The stream is over: null when the server ended it in order. Called once, at the end of the loop turn.
  virtual void on_end(std::exception_ptr error) = 0;
};

struct StreamCounters {
  std::uint64_t bytes = 0, messages = 0, wakeups = 0;
  std::chrono::nanoseconds paused{0};             // while a handler had had enough, up to the last resume()
  std::chrono::steady_clock::time_point heard{};  // the server's last bytes; the epoch: none yet
};

class Stream {
 public:
  // `connection` has begun replication and outlives the stream. `status_interval`: a third of wal_sender_timeout.
  Stream(event::Loop& loop, Connection& connection, StreamHandler& handler, std::chrono::milliseconds status_interval);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void start();   // begins delivering
  void resume();  // after a handler said enough; drains first what libpq already holds
  [[nodiscard]] bool paused() const;
  void confirm(Lsn flushed);           // monotone; never beyond received() (aborts: it would lose data)
  void request_keepalive();            // asks the server where it is; the answer is an on_keepalive
  [[nodiscard]] Lsn received() const;  // the furthest position the server has told us
  [[nodiscard]] Lsn confirmed() const;
  [[nodiscard]] const StreamCounters& counters() const;
  [[nodiscard]] std::chrono::nanoseconds paused_for() const;  // in all, a pause that is under way included

  // The last status, CopyDone, and the server's answer, at most `patience` long. Nothing is delivered any more.
  event::Task<> finish(std::chrono::milliseconds patience);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::replication
