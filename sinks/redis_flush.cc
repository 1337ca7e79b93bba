// What leaves, and when.
//
//   due:   flush.batch_size rows, flush.max_bytes, flush.interval since the last one left, or a flush()
//   torn:  a transaction too long to be held; its commands stream into an open MULTI, whose EXEC waits for the commit
//   cut:   a transaction too long for one MULTI; EXEC at a row, with a checkpoint that names the place
#include <algorithm>

#include "event/crash_point.h"
#include "sinks/redis_reply.h"
#include "sinks/redis_sink_state.h"
#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

using event::milliseconds;

constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr std::string_view kQueued = "+QUEUED\r\n";
constexpr std::uint64_t kIdleMs = 200;      // after the last batch: its own position is then recorded alone
constexpr std::uint64_t kAdvanceMs = 1000;  // positions without rows are recorded as seldom

}  // namespace

bool RedisSink::State::due() const {
  const FlushOptions& flush = options.flush;
  return hurry || crowded || flush.interval.count() == 0 || rows_to_send() >= flush.batch_size ||
         filling_bytes() >= flush.max_bytes ||
         uv_now(loop.raw()) - last_left >= static_cast<std::uint64_t>(flush.interval.count());
}

// Is the unfinished transaction too long to be held here? Where the last owner's batch is being repeated nothing can
// leave before its end, and what stays here can be searched by a TRUNCATE: then only memory counts.
bool RedisSink::State::tear_due() const {
  if (!running() || !open) return false;
  const std::size_t bytes = filling_bytes();
  if (bytes >= options.flush.max_bytes) return true;
  if (current != nullptr && current->torn && too_long()) return reached(last_row);
  return bytes - std::min(bytes, filled.complete_bytes) >= segment && reached(last_row);
}

void RedisSink::State::pump() {
  if (!running()) return;
  pump_current();
  pump_filling();
  pump_torn();
  if (needs_record() && record_due()) {
    begin_flight();
    current->end = std::max(here, applied);  // beyond `here` after a cut
    finish();
  }
  arm_record_timer();
}

// A flight that ends at a commit leaves when the one before is checked, with everything that is complete by then.
void RedisSink::State::pump_current() {
  if (current == nullptr || current->torn) return;
  const bool free_to_go = reached(current->end);
  if (whole() && !nothing_filling() && !current->sealed &&
      (!free_to_go || current->bytes + filling_bytes() <= options.flush.max_bytes)) {
    hand_over();
  }
  if (executing == nullptr && reached(current->end)) finish();
}

void RedisSink::State::pump_filling() {
  if (current != nullptr || nothing_filling() || !filled.committed) return;
  if (executing != nullptr) {
    if (whole() && filling_bytes() >= segment && reached(here)) hand_over();
    return;
  }
  if (!due()) return arm_flush_timer();
  overdue = !whole();
  if (overdue) return;
  if (reached(here)) {
    hand_over();
    finish();
  } else if (filling_bytes() >= options.flush.max_bytes) {
    hand_over();
  }
}

void RedisSink::State::pump_torn() {
  if (removing || !tear_due()) return;
  const bool must_wait = current != nullptr && !current->torn && (current->sealed || reached(current->end));
  if (must_wait) return;
  hand_over();
  if (!reached(last_row)) return;
  if (too_long() || current->letter_bytes >= options.flush.max_bytes) cut(last_row);
}

void RedisSink::State::cut(const Position& end) {
  current->end = end;
  open_bytes = 0;
  current->torn = false;
  current->sealed = true;
  if (executing == nullptr) finish();
}

void RedisSink::State::begin_flight() {
  current = std::make_unique<Flight>();
  connection.send({kMulti, 1, {}, [this](const redisReply& reply) { on_begun(reply); }});
}

void RedisSink::State::hand_over() {
  if (current == nullptr) begin_flight();
  Flight& flight = *current;
  flight.rows += filled.rows;
  flight.transactions += filled.transactions;
  flight.bytes += filling.bytes();
  flight.coalesced += filling.coalesced();
  flight.letter_bytes += filled.letter_bytes;
  flight.invalidations.add(filling.invalidations());
  std::move(filled.letters.begin(), filled.letters.end(), std::back_inserter(flight.letters));
  if (filled.transactions > 0 || (whole() && quiet_commit)) flight.commit_time_us = commit_time_us;
  if (flight.since == std::chrono::steady_clock::time_point{}) flight.since = filled.since;
  flight.torn = !whole();
  if (!flight.torn) flight.end = here;
  flight.images.merge(filled.images);
  filled = {};
  overdue = false;
  if (!flight.torn) quiet_commit = false;
  if (!filling.empty()) send_commands(flight);
}

void RedisSink::State::send_commands(Flight& flight) {
  std::unique_ptr<Batch> batch;
  if (spare.empty()) {
    batch = std::make_unique<Batch>();
  } else {
    batch = std::move(spare.back());
    spare.pop_back();
  }
  std::swap(*batch, filling);
  known_bytes = 0;
  std::vector<Batch::Place> places;
  const bool may_be_truncated = flight.torn || !reached(open ? last_row : here);
  const std::string_view bytes = batch->take(options.careful || may_be_truncated ? &places : nullptr);
  remember_keys(flight, places);
  const std::size_t commands = batch->commands();
  flight.commands += commands;
  borrowed.push_back(std::move(batch));
  Flight* const to = &flight;
  connection.send({bytes, commands, [this] { on_written(); }, [this, to](const redisReply& r) { on_queued(*to, r); },
                   [] { return kQueued; }, [to] { ++to->queued; }});
}

// What repeats the last owner's batch keeps every key: it cannot leave before its end, which was one batch then as
// well.
void RedisSink::State::remember_keys(Flight& flight, const std::vector<Batch::Place>& places) {
  constexpr std::size_t kBatches = 16;
  for (const Batch::Place& place : places) flight.keys.add(place);
  if (options.careful || !reached(last_row)) return;
  if (flight.keys.bytes() > kBatches * options.flush.max_bytes) flight.keys.give_up();
}

void RedisSink::State::on_written() {
  recycle(std::move(borrowed.front()));
  borrowed.pop_front();
  became_emptier();
}

void RedisSink::State::finish() {
  event::crash_point();
  Flight& flight = *current;
  flight.verified = applied;
  if (!options.careful) flight.keys = {};
  write_closing(flight);
  stated = applied;
  dirty = unrecorded_rows = false;
  if (stated >= hurry_to) hurry = false;
  last_left = last_stated = uv_now(loop.raw());
  flight.left = std::chrono::steady_clock::now();
  executing = std::move(current);
  flush_timer.stop();
  // The dead letters, the checkpoint, EXEC, WATCH, GET.
  connection.send({flight.closing, flight.noted + 4, {}, [this](const redisReply& reply) { on_closing(reply); }});
}

void RedisSink::State::append_letter(std::string& out, const DeadLetterAt& at) const {
  const auto fields = at.letter.fields();
  const std::string most = std::to_string(options.most_letters);
  resp::append_header(out, 3 + (options.most_letters > 0 ? 3 : 0) + 2 * fields.size() + 2);
  for (const std::string_view word : {std::string_view("XADD"), std::string_view(dead)}) resp::append_bulk(out, word);
  if (options.most_letters > 0) {
    for (const std::string_view word : {std::string_view("MAXLEN"), std::string_view("~"), std::string_view(most)})
      resp::append_bulk(out, word);
  }
  resp::append_bulk(out, "*");
  for (const auto& [name, value] : fields) {
    resp::append_bulk(out, name);
    resp::append_bulk(out, value);
  }
  resp::append_bulk(out, "position");
  resp::append_bulk(out, to_field(at.position));
}

void RedisSink::State::write_closing(Flight& flight) {
  std::string& out = flight.closing;
  for (const DeadLetterAt& at : letters) {
    append_letter(out, at);
  }
  flight.noted = letters.size();
  letters.clear();

  auto fields = to_fields({applied, std::max(flight.end, floor), origin, epoch, phase});
  std::size_t changed_fields = 0;
  const auto says_something = [this](const auto& field) {
    const auto before = stated_fields.find(field.first);
    return field.first == "epoch" || before == stated_fields.end() || before->second != field.second;
  };
  for (const auto& field : fields) changed_fields += says_something(field) ? 1 : 0;
  resp::append_header(out, 2 + 2 * changed_fields);
  resp::append_bulk(out, "HSET");
  resp::append_bulk(out, checkpoint);
  for (const auto& field : fields) {
    if (!says_something(field)) continue;
    resp::append_bulk(out, field.first);
    resp::append_bulk(out, field.second);
  }
  stated_fields = std::move(fields);
  out += kExec;
  out += watch_and_get;
}

void RedisSink::State::arm_flush_timer() {
  if (flush_timer.active()) return;
  const std::uint64_t passed = uv_now(loop.raw()) - last_left;
  const auto interval = static_cast<std::uint64_t>(options.flush.interval.count());
  flush_timer.start(milliseconds(interval > passed ? interval - passed : 0));
}

bool RedisSink::State::needs_record() const {
  return running() && current == nullptr && executing == nullptr && nothing_filling() && reached(here) &&
         here <= applied && (applied > stated || dirty || !letters.empty());
}

bool RedisSink::State::record_due() const { return hurry || uv_now(loop.raw()) >= record_at(); }

std::uint64_t RedisSink::State::record_at() const {
  return unrecorded_rows || dirty || !letters.empty() ? last_checked + kIdleMs : last_stated + kAdvanceMs;
}

void RedisSink::State::arm_record_timer() {
  if (!needs_record()) return;
  const std::uint64_t now = uv_now(loop.raw());
  const std::uint64_t at = std::max(record_at(), now + 1);
  if (record_timer.active() && record_timer_at <= at) return;
  record_timer_at = at;
  record_timer.start(milliseconds(at - now));
}

void RedisSink::State::on_record_timer() {
  // A removal that no row followed was no part of a transaction.
  if (whole() && !filled.committed && (!filling.empty() || (current != nullptr && current->torn))) {
    filled.committed = true;
    if (current != nullptr && current->torn) hand_over();
  }
  pump();
}

void RedisSink::State::on_turn() {
  if (!running()) return;
  start_removal();
  if (invalidation_asked) start_invalidation();
  promote();
  if (failed) return;
  pump();
  became_emptier();
}

void RedisSink::State::promote() {
  if (current != nullptr || executing != nullptr || !nothing_filling() || removing || !landed.empty() ||
      here <= applied) {
    return;
  }
  filled = {};
  applied = here;
  if (!std::exchange(quiet_commit, false)) return;
  events.on_applied(applied, commit_time_us);
}

}  // namespace walrelay::sinks
