#include "sinks/redis_sink.h"

#include <algorithm>

#include "sinks/redis_sink_state.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

using event::milliseconds;

RedisSink::State::State(event::Loop& loop_in, RedisConnection& connection_in, RedisSinkOptions options_in,
                        SinkEvents& events_in)
    : loop(loop_in),
      connection(connection_in),
      options(std::move(options_in)),
      events(events_in),
      segment(std::max<std::size_t>(1, options.flush.max_bytes / 4)),
      fence(fence_key(options.slot)),
      checkpoint(checkpoint_key(options.slot)),
      dead(dead_letter_key(options.slot)),
      barrier("walrelay:{" + options.slot + "}:barrier"),
      changed(loop_in),
      turn(loop_in, [this] { on_turn(); }),
      writable(loop_in,
               [this] {
                 if (!failed && !was_full && !removing) events.on_writable();
               }),
      report(loop_in,
             [this] {
               const std::exception_ptr why = error;
               events.on_failed(why);
             }),
      flush_timer(loop_in, [this] { pump(); }),
      record_timer(loop_in, [this] { on_record_timer(); }),
      liveness_timer(loop_in, [this] { check_liveness(); }),
      invalidation_timer(loop_in, [this] { start_invalidation(); }) {
  connection.on_lost = [this](const std::exception_ptr& why) { fail(why); };
}

RedisSink::State::~State() {
  connection.on_lost = nullptr;
  connection.close();  // it may hold our bytes, and replies to come name us
}

std::size_t RedisSink::State::held() const { return filling_bytes() + connection.unwritten(); }

// A short transaction is never cut, whatever stands before it in the same MULTI. A careful session keeps the keys of
// what it sends.
bool RedisSink::State::too_long() const {
  if (options.careful && current != nullptr && current->bytes + filling_bytes() >= options.flush.max_bytes) return true;
  return open_bytes >= options.flush.max_transaction;
}

void RedisSink::State::count_open(bool of_transaction) {
  const std::size_t bytes = filling.bytes();
  if (of_transaction && bytes > known_bytes) open_bytes += bytes - known_bytes;
  known_bytes = bytes;
}

void RedisSink::State::compact() {
  if (filling.bytes() < segment || filling.dead_bytes() * 2 <= filling.bytes()) return;
  filling.compact();
  filled.complete_bytes = std::min(filled.complete_bytes, filling_bytes());
  known_bytes = filling.bytes();
}

// Rows read from tables. A commit that is to be shown at once waits behind the batch that Redis executes and the one
// that follows it, so while such commits come these are small.
std::size_t RedisSink::State::room() const {
  constexpr std::size_t kPart = 4;
  return hurried() ? segment / kPart : segment;
}

bool RedisSink::State::hurried() const {
  constexpr std::uint64_t kLiveMs = 100;
  const bool live = last_commit != 0 && uv_now(loop.raw()) - last_commit < kLiveMs;
  return live && options.flush.interval.count() == 0;
}

void RedisSink::State::became_fuller() {
  if (!was_full && held() >= options.flush.max_bytes) was_full = true;
}

// Half empty before feeding goes on, or else each row would stop it again. But when nothing is under way that would
// free more, the rest of a transaction must come.
void RedisSink::State::became_emptier() {
  changed.set();
  if (crowded && under_way() < segment) {
    crowded = false;
    writable.schedule();
  }
  if (!was_full) return;
  const bool draining = connection.unwritten() > 0 || executing != nullptr;
  const std::size_t bytes = held();
  if (bytes > options.flush.max_bytes / 2 && (draining || bytes >= options.flush.max_bytes)) return;
  was_full = false;
  writable.schedule();
}

void RedisSink::State::recycle(std::unique_ptr<Batch> batch) {
  constexpr std::size_t kSpare = 4;
  batch->clear();
  if (spare.size() < kSpare) spare.push_back(std::move(batch));
}

RedisSink::RedisSink(event::Loop& loop, RedisConnection& connection, RedisSinkOptions options, SinkEvents& events)
    : state_(std::make_unique<State>(loop, connection, std::move(options), events)) {}

RedisSink::~RedisSink() = default;

void RedisSink::start(const Origin& origin, const std::string& phase, const replication::Position& verified,
                      const replication::Position& sent) {
  State& s = *state_;
  if (s.failed || s.started) return;
  s.started = true;
  s.origin = origin;
  s.phase = phase;
  s.here = s.applied = s.last_row = verified;
  s.floor = std::max(verified, sent);
  s.dirty = true;
  s.last_checked = s.last_stated = uv_now(s.loop.raw());
  constexpr milliseconds kLiveness{1000};
  s.liveness_timer.start(kLiveness, kLiveness);
  if (s.invalidation_asked) s.start_invalidation();
  s.turn.schedule();
}

void RedisSink::set_phase(const std::string& phase) {
  if (state_->failed || state_->phase == phase) return;
  state_->phase = phase;
  state_->dirty = true;
  state_->turn.schedule();
}

std::uint64_t RedisSink::epoch() const { return state_->epoch; }
const SinkCounters& RedisSink::counters() const { return state_->counters; }
std::size_t RedisSink::buffered() const { return state_->held(); }
Batch& RedisSink::batch() { return state_->filling; }

void RedisSink::row(const replication::Position& position) {
  State& s = *state_;
  if (s.failed) return s.filling.clear();
  ++s.filled.rows;
  if (s.filled.since == std::chrono::steady_clock::time_point{}) s.filled.since = std::chrono::steady_clock::now();
  s.open = true;
  s.count_open(true);
  s.last_row = position;
  if (s.tear_due()) {
    s.compact();  // a few rows that the transaction changes all the time make no long one
    if (s.tear_due()) s.pump();
  }
  s.became_fuller();
}

void RedisSink::loaded(std::size_t rows) {
  State& s = *state_;
  if (s.failed) return s.filling.clear();
  s.filled.rows += rows;
  s.count_open(false);
  if (!s.open) s.filled.complete_bytes = s.filling_bytes();
  s.filled.committed = true;
  if (s.rows_to_send() >= s.options.flush.batch_size || s.filling_bytes() >= s.segment) {
    s.pump();
  } else {
    s.turn.schedule();
  }
  s.became_fuller();
}

void RedisSink::commit(replication::Lsn end, std::int64_t commit_time_us) {
  State& s = *state_;
  if (s.failed) return s.filling.clear();
  s.open = false;
  s.open_bytes = 0;
  s.compact();
  s.known_bytes = s.filling.bytes();
  s.here = {end, replication::Lsn::invalid, 0};
  s.commit_time_us = commit_time_us;
  const bool torn = s.current != nullptr && s.current->torn;
  if (s.nothing_filling() && !torn && !s.removing) {
    s.filled = {};
    s.quiet_commit = true;
    s.turn.schedule();
    return;
  }
  s.last_commit = uv_now(s.loop.raw());
  ++s.filled.transactions;
  s.filled.committed = true;
  s.filled.complete_bytes = s.filling_bytes();
  if (torn && !s.removing) s.hand_over();
  if (torn || s.overdue || s.rows_to_send() >= s.options.flush.batch_size || s.filling_bytes() >= s.segment) {
    s.pump();  // at once: at the end of the turn the next transaction may be half here
  } else {
    s.turn.schedule();
  }
  s.became_fuller();
}

void RedisSink::advance(replication::Lsn position) {
  State& s = *state_;
  if (s.failed || s.open) return;
  const replication::Position to{position, replication::Lsn::invalid, 0};
  if (to <= s.here) return;
  s.here = to;
  s.turn.schedule();
}

void RedisSink::remove_owned(std::vector<OwnedKeys> owned, std::vector<std::uint32_t> writes) {
  State& s = *state_;
  if (s.failed) return;
  if (!s.removing) {
    // What is complete need not wait for the removal.
    const bool complete = s.filled.committed && s.whole() && s.filled.complete_bytes == s.filling_bytes();
    if (s.running() && complete && s.reached(s.here)) s.hand_over();
    s.before_removal = s.open ? s.last_row : s.here;
  }
  s.removing = true;
  std::move(owned.begin(), owned.end(), std::back_inserter(s.removal.owned));
  s.removal.writes.insert(s.removal.writes.end(), writes.begin(), writes.end());
  s.turn.schedule();
}

bool RedisSink::full() const { return state_->failed || state_->was_full || state_->removing; }

bool RedisSink::has_room() const {
  State& s = *state_;
  if (full()) return false;
  // What is held back waits for rows that are read, perhaps by who asks here: waiting for it would be for ever.
  if (s.held_back || s.under_way() < s.room()) return true;
  s.crowded = true;
  s.turn.schedule();  // what is here leaves now
  return false;
}

bool RedisSink::hurried() const { return state_->hurried(); }

bool RedisSink::drained() const {
  const State& s = *state_;
  if (s.failed || s.removing || !s.nothing_filling() || s.current || s.executing || !s.landed.empty()) return false;
  if (!s.started || !s.reached(s.here)) return true;
  return !s.needs_record() && s.here <= s.applied && s.applied <= s.recorded_to;
}

void RedisSink::hold(bool held) {
  State& s = *state_;
  s.held_back = held;
  if (s.failed) return;
  if (!held) return s.turn.schedule();
  if (std::exchange(s.crowded, false)) s.writable.schedule();
}

bool RedisSink::held() const { return state_->held_back; }

// The batches that may still hold some of it: the one that fills, and those that have not been checked.
std::uint64_t RedisSink::ticket() const {
  const State& s = *state_;
  return s.counters.batches + (s.executing ? 1 : 0) + (s.current ? 1 : 0) + (s.nothing_filling() ? 0 : 1);
}

bool RedisSink::has_shown(std::uint64_t ticket) const {
  State& s = *state_;
  const bool idle = s.nothing_filling() && !s.current && !s.executing;
  const bool shown = !s.failed && (idle || s.counters.batches >= ticket);
  if (!shown) s.awaited = true;
  return shown;
}

void RedisSink::flush() {
  State& s = *state_;
  if (s.failed) return;
  s.hurry = true;
  s.hurry_to = s.here;
  s.turn.schedule();
}

void RedisSink::dead_letter(DeadLetter letter) {
  State& s = *state_;
  if (s.failed) return;
  s.filled.letter_bytes += letter.bytes();
  s.filled.letters.push_back(std::move(letter));
  ++s.counters.refused_rows;
}

bool RedisSink::asks_for_rows() const { return state_->options.careful && state_->options.policy != nullptr; }

void RedisSink::of_row(RowImage image) {
  State& s = *state_;
  if (s.failed) return;
  if (image.table.empty()) return s.filling.of_row(0);
  s.filled.letter_bytes += image.bytes();
  s.filling.of_row(++s.last_image);
  s.filled.images.emplace(s.last_image, std::move(image));
}

}  // namespace walrelay::sinks
