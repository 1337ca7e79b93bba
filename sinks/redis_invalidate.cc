// Keys that a cache is to lose (invalidation.h), once the transaction that asks for it is in Redis.
//
//   flight checked ──patterns?──> landed ──notes that are due: one pass over all keys──> applied
//                        no ──────────────────────────────────────────────────────────> applied
//
// A position counts as applied when what it asks to remove at once is removed, so that whoever waits for it finds no
// old entry; flights go on meanwhile, and what they ask for is gathered for the next pass. What is due later (a second
// removal, also one that a former owner has left) holds nothing back.
//
// This connection is not fenced: to remove an entry of a cache once too often does no harm.
#include <algorithm>
#include <set>

#include "event/crash_point.h"
#include "sinks/glob_match.h"
#include "sinks/invalidation.h"
#include "sinks/redis_scan.h"
#include "sinks/redis_sink_state.h"

namespace walrelay::sinks {
namespace {

constexpr std::size_t kNotesAtOnce = 10000;  // in one pass
constexpr std::size_t kKeysPerCommand = 512;
constexpr std::size_t kComparisons = 200000;  // of one page of keys with patterns: the loop waits for them
constexpr char kSecondRemovalOfKey = 'k';

std::size_t count_for(const GlobSet& globs) {
  constexpr std::size_t kLeast = 10, kMost = 1000;
  return std::clamp(kComparisons / std::max<std::size_t>(1, globs.most_candidates()), kLeast, kMost);
}

}  // namespace

void RedisSink::State::invalidate_in(event::milliseconds delay) {
  if (!running()) return;
  if (delay.count() == 0) {
    invalidation_asked = true;
    return start_invalidation();
  }
  const std::uint64_t at = uv_now(loop.raw()) + static_cast<std::uint64_t>(delay.count());
  if (invalidation_timer.active() && invalidation_at <= at) return;
  invalidation_at = at;
  invalidation_timer.start(delay);
}

void RedisSink::State::start_invalidation() {
  if (!running() || (invalidation_job != nullptr && !invalidation_job->finished())) return;
  invalidation_job = std::make_unique<event::Job>(loop, invalidate_due(), [this](const std::exception_ptr& why) {
    if (why) return fail(why);
    if (invalidation_asked) turn.schedule();
  });
}

event::Task<> RedisSink::State::invalidate_due() {
  auto opening = open_side(invalidator, "invalidate");
  co_await std::move(opening);
  std::vector<Reply> due;  // member, score, member, score ...
  while (!failed) {
    invalidation_asked = false;
    const std::size_t covered = landed.size();  // their notes are in Redis
    auto asking = next_due(std::move(due));
    Reply answer = co_await std::move(asking);
    due = std::move(answer.elements[1].elements);
    event::crash_point();
    auto removing_due = remove_due(due);
    co_await std::move(removing_due);
    event::crash_point();
    if (failed) co_return;
    if (due.size() < 2 * kNotesAtOnce) release(covered);
    if (!due.empty() || invalidation_asked) continue;
    if (answer.elements[0].integer > 0) invalidate_in(event::milliseconds(answer.elements[0].integer));
    co_return;
  }
}

// Forgets the notes that were carried out, and gives those that are due now.
event::Task<Reply> RedisSink::State::next_due(std::vector<Reply> done) {
  const Script& turn_script = invalidation_scripts().turn;
  std::vector<std::string> command{"EVALSHA", turn_script.sha(), "1", again_key(options.slot),
                                   std::to_string(kNotesAtOnce)};
  for (Reply& word : done) command.push_back(std::move(word.text));
  auto asking = invalidator->command(std::move(command));
  Reply answer = co_await std::move(asking);
  if (answer.elements.size() != 2) throw RedisError("LOST", connection.name() + " answered a script with another list");
  co_return answer;
}

event::Task<> RedisSink::State::remove_due(const std::vector<Reply>& due) {
  std::vector<std::string> keys;
  std::set<std::string> globs;
  for (std::size_t i = 0; i < due.size(); i += 2) {
    const std::string& note = due[i].text;
    if (note.empty()) continue;
    if (note.front() == kSecondRemovalOfKey) {
      keys.push_back(note.substr(1));
    } else {
      globs.insert(note.substr(1));
    }
  }
  auto removing_keys = unlink_cached(std::move(keys));
  co_await std::move(removing_keys);
  if (globs.empty()) co_return;
  auto scanning = unlink_matching(globs);
  co_await std::move(scanning);
}

event::Task<> RedisSink::State::unlink_matching(const std::set<std::string>& texts) {
  GlobSet globs;
  for (const std::string& text : texts) globs.add(text);
  ++counters.invalidation_scans;
  RedisScan scanning(loop, *invalidator, texts, count_for(globs));
  while (!failed && !scanning.ended()) {
    auto turning = scanning.next();
    std::vector<std::string> keys = co_await std::move(turning);
    std::erase_if(keys, [&globs](const std::string& key) { return is_bookkeeping(key) || !globs.matches(key); });
    auto removing_keys = unlink_cached(std::move(keys));
    co_await std::move(removing_keys);
  }
}

event::Task<> RedisSink::State::unlink_cached(std::vector<std::string> keys) {
  for (std::size_t at = 0; !failed && at < keys.size(); at += kKeysPerCommand) {
    std::vector<std::string> command{"UNLINK"};
    for (std::size_t i = at; i < std::min(at + kKeysPerCommand, keys.size()); ++i)
      command.push_back(std::move(keys[i]));
    auto removing_some = invalidator->command(std::move(command));
    const Reply removed = co_await std::move(removing_some);
    counters.invalidated_keys += static_cast<std::uint64_t>(removed.integer);
  }
}

// The flight's commands are in Redis. True: it is applied as well.
bool RedisSink::State::land(Flight& flight) {
  for (const auto& [mapping, asked] : flight.invalidations.of) {
    counters.invalidated[mapping].keys += asked.keys;
    counters.invalidated[mapping].patterns += asked.patterns;
  }
  Landed now;
  now.end = flight.end;
  now.commit_time_us = flight.commit_time_us;
  now.since = flight.since;
  now.shows = flight.rows > 0 || flight.transactions > 0;
  now.waits = flight.invalidations.all().patterns > 0;
  now.letters = std::move(flight.letters);
  const bool at_once = landed.empty() && !now.waits;
  if (at_once) {
    settle(now);
  } else {
    landed.push_back(std::move(now));
  }
  if (flight.invalidations.soonest) invalidate_in(*flight.invalidations.soonest);
  return at_once;
}

void RedisSink::State::settle(Landed& flight) {
  applied = std::max(applied, flight.end);
  const auto now = std::chrono::steady_clock::now();
  const bool of_stream = flight.since != std::chrono::steady_clock::time_point{};
  counters.last_apply_seconds = of_stream ? std::chrono::duration<double>(now - flight.since).count() : -1;
  unrecorded_rows = unrecorded_rows || flight.shows;
  for (DeadLetter& letter : flight.letters) letters.push_back({std::move(letter), flight.end});
}

// The first `count` flights that wait, and those behind them that ask for nothing.
void RedisSink::State::release(std::size_t count) {
  if (landed.empty()) return;
  while (!failed && !landed.empty() && (count > 0 || !landed.front().waits)) {
    if (count > 0) --count;
    Landed flight = std::move(landed.front());
    landed.pop_front();
    settle(flight);
    if (flight.shows) events.on_applied(flight.end, flight.commit_time_us);
  }
  became_emptier();
  turn.schedule();
}

}  // namespace walrelay::sinks
