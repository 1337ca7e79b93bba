// What the server is told: the status, at the interval, when asked and at each advance; and the last one.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "replication/stream_state.h"

namespace walrelay::replication {
namespace {

std::int64_t wall_clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void Stream::State::on_timer() noexcept {
  try {
    if (phase == Phase::streaming) send_status(Lsn::invalid, false);
  } catch (...) {
    end(std::current_exception());
  }
}

void Stream::State::send_status(Lsn flush, bool reply_requested) {
  put(encode_status(std::max(received, flush), flush, flush, wall_clock_us(), reply_requested));
}

// A connection that cannot be written to may still hold what the server said last: reading comes first.
void Stream::State::put(std::string_view status) {
  try {
    connection.put_copy_data(status);
    output_left = connection.flush_output();
  } catch (const PostgresError&) {
    output_left = false;
    if (paused) throw;
    more.schedule();
  }
  watch();
}

void Stream::confirm(Lsn flushed) {
  if (flushed > state_->received) {
    std::fprintf(stderr, "walrelay: Stream: %s was confirmed but only %s was received\n", to_string(flushed).c_str(),
                 to_string(state_->received).c_str());
    std::abort();
  }
  if (state_->phase != State::Phase::streaming || flushed <= state_->confirmed) return;
  state_->confirmed = flushed;
  try {
    state_->send_status(flushed, false);
  } catch (...) {
    state_->end(std::current_exception());
  }
}

void Stream::request_keepalive() {
  if (state_->phase != State::Phase::streaming) return;
  try {
    state_->send_status(Lsn::invalid, true);
  } catch (...) {
    state_->end(std::current_exception());
  }
}

event::Task<> Stream::finish(std::chrono::milliseconds patience) {
  State& s = *state_;
  if (s.phase == State::Phase::over || s.phase == State::Phase::finishing) co_return;
  event::Timer timer(s.loop, [&s] { s.end(nullptr); });
  timer.start(patience);
  s.paused = false;
  s.start(State::Phase::finishing);
  s.more.schedule();  // what libpq holds already
  try {
    s.send_status(s.confirmed, false);
    s.connection.put_copy_end();
    s.output_left = s.connection.flush_output();
    s.watch();
  } catch (const PostgresError&) {
    s.end(nullptr);  // it is over either way; what was not confirmed is sent again
  }
  co_await s.finished;
}

}  // namespace walrelay::replication
