#include "replication/stream.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "replication/stream_state.h"

namespace walrelay::replication {

namespace {

// How much CopyData one wake-up delivers before the rest of the loop gets its turn.
constexpr std::size_t kBudget = 64 * 1024;
// A read that gave so much is followed by another one at once: asking the kernel first would be a waste. libpq reads
// 16 KiB, the lengths of messages among them.
constexpr std::size_t kFullRead = 14 * 1024;

constexpr std::chrono::milliseconds kDefaultStatusInterval{10000};

}  // namespace

Stream::State::State(event::Loop& on, Connection& from, StreamHandler& to, std::chrono::milliseconds interval)
    : loop(on),
      connection(from),
      handler(to),
      status_interval(interval.count() > 0 ? interval : kDefaultStatusInterval),
      status_timer(on, [this] { on_timer(); }),
      more(on, [this] { go_on(); }),
      rest(on, WakeupPace::kRest, [this] { go_on(); }),
      report(on, [this] { handler.on_end(std::exchange(error, nullptr)); }),
      finished(on) {}

void Stream::State::start(Phase next) {
  phase = next;
  if (poll) return;
  if (connection.socket() < 0) return end(std::make_exception_ptr(PostgresError("", true, "the connection is closed")));
  poll.emplace(loop, connection.socket(), [this](int directions) { on_ready(directions); });
  status_timer.start(status_interval, status_interval);
  watch();
  more.schedule();  // the first messages may have come together with the answer to START_REPLICATION
}

void Stream::State::watch() {
  if (phase == Phase::over || !poll) return;
  if (connection.socket() < 0) {  // libpq closed it; what it has read before is still to be delivered
    poll->close();
    more.schedule();
    return;
  }
  poll->watch((paused || pace.polling() ? event::Poll::none : event::Poll::readable) |
              (output_left ? event::Poll::writable : event::Poll::none));
}

// Nothing may fly through the loop's C frames: what goes wrong ends the stream.
void Stream::State::on_ready(int directions) noexcept {
  try {
    if (phase == Phase::over) return;
    if (output_left && (directions & event::Poll::writable) != 0) output_left = connection.flush_output();
    if (!paused && (directions & event::Poll::readable) != 0) {
      pace.woken(Clock::now());
      read_and_drain();
    }
    watch();
  } catch (...) {
    end(std::current_exception());
  }
}

void Stream::State::go_on() noexcept {
  try {
    if (phase == Phase::over || paused) return;
    std::size_t delivered = 0;
    if (drain(delivered) && (pace.polling() || connection.input_waiting())) read_and_drain();
    watch();
  } catch (...) {
    end(std::current_exception());
  }
}

void Stream::State::read_and_drain() {
  std::size_t delivered = 0;
  const bool announced = !pace.polling();
  const bool all = read_all(delivered);
  const Clock::time_point now = Clock::now();
  if (announced || delivered > 0) {
    ++counters.wakeups;
    counters.heard = now;
  }
  if (!all) return;
  pace.drained(delivered, now);
  if (pace.polling()) rest.schedule();
}

// True: everything that was there; else as drain().
bool Stream::State::read_all(std::size_t& delivered) {
  std::size_t before = 0;
  do {
    before = delivered;
    connection.consume_input();
    if (connection.socket() < 0) poll->close();  // before the handler can open another of the same number
    if (!drain(delivered)) return false;
  } while (delivered - before >= kFullRead || connection.input_waiting());
  return true;
}

// Hands out what libpq holds. True: all of it; else the handler had enough, or the budget is spent, or it is over.
bool Stream::State::drain(std::size_t& delivered) {
  for (;;) {
    if (delivered >= kBudget) {
      more.schedule();
      return false;
    }
    std::string_view copy_data;
    const Connection::Got got = connection.next_copy_data(copy_data);
    if (got == Connection::Got::nothing) break;
    if (got == Connection::Got::end) {
      end(nullptr);
      return false;
    }
    delivered += copy_data.size();
    if (!deliver(copy_data)) return false;
  }
  if (phase == Phase::streaming) handler.on_drained();
  return phase != Phase::over && !paused;
}

// False: stop here. The handler may have ended or finished the stream meanwhile.
bool Stream::State::deliver(std::string_view copy_data) {
  counters.bytes += copy_data.size();
  ++counters.messages;
  if (phase == Phase::finishing) return true;  // thrown away: it will be sent again
  const Frame frame = parse_frame(copy_data);
  resume_asked = false;
  bool enough = false;
  if (const auto* data = std::get_if<XLogData>(&frame)) {
    received = std::max(received, data->start);
    enough = !handler.on_data(data->payload, data->start, data->end, data->send_time_us);
  } else {
    const auto& keepalive = std::get<Keepalive>(frame);
    received = std::max(received, keepalive.end);
    if (keepalive.reply_requested) send_status(Lsn::invalid, false);
    enough = !handler.on_keepalive(keepalive.end, keepalive.send_time_us);
  }
  if (phase == Phase::over) return false;
  if (enough && !resume_asked && phase == Phase::streaming) {
    paused = true;
    paused_since = Clock::now();
  }
  return !paused;
}

void Stream::State::end(std::exception_ptr cause) {
  if (phase == Phase::over) return;
  const bool told = phase != Phase::finishing;
  phase = Phase::over;
  if (poll) poll->close();
  status_timer.stop();
  more.cancel();
  rest.cancel();
  finished.set();
  if (!told) return;
  error = std::move(cause);
  report.schedule();
}

Stream::Stream(event::Loop& loop, Connection& connection, StreamHandler& handler,
               std::chrono::milliseconds status_interval)
    : state_(std::make_unique<State>(loop, connection, handler, status_interval)) {}

Stream::~Stream() = default;

void Stream::start() {
  if (state_->phase == State::Phase::made) state_->start(State::Phase::streaming);
}

void Stream::resume() {
  state_->resume_asked = true;
  if (!state_->paused) return;
  state_->counters.paused = paused_for();
  state_->paused = false;
  state_->more.schedule();
}

bool Stream::paused() const { return state_->paused; }

Lsn Stream::received() const { return state_->received; }

Lsn Stream::confirmed() const { return state_->confirmed; }

const StreamCounters& Stream::counters() const { return state_->counters; }

std::chrono::nanoseconds Stream::paused_for() const {
  const State& s = *state_;
  return s.counters.paused + (s.paused ? State::Clock::now() - s.paused_since : std::chrono::nanoseconds(0));
}

}  // namespace walrelay::replication
