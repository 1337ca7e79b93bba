// Ends connections that take too long: whose request never becomes complete (a byte now and then keeps libmicrohttpd's
// own time-out away), and whose answer nobody takes.
//
//   opened ─> await_request ─> headers, body ─> suspend (somebody works on it) ─> await_reader ─> sent ─> await_request
//                  └── too late ──────────── the socket is shut down ─────────────────┘
//
// Shutting down is all that is done to the socket: libmicrohttpd sees its end, and closes what it owns.
#pragma once

#include <chrono>
#include <map>

#include "event/loop.h"

namespace walrelay::sidecar {

class HttpDeadlines {
 public:
  HttpDeadlines(event::Loop& loop, event::milliseconds request, event::milliseconds answer);
  HttpDeadlines(const HttpDeadlines&) = delete;
  HttpDeadlines& operator=(const HttpDeadlines&) = delete;

  void await_request(int socket) { set(socket, request_); }
  void await_reader(int socket) { set(socket, answer_); }
  void suspend(int socket) { due_.erase(socket); }
  void forget(int socket) { due_.erase(socket); }  // before it is closed

 private:
  using Clock = std::chrono::steady_clock;
  void set(int socket, event::milliseconds patience);
  void look();

  const event::milliseconds request_, answer_, every_;
  std::map<int, Clock::time_point> due_;
  event::Timer timer_;
};

}  // namespace walrelay::sidecar
