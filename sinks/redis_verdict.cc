// Every reply is looked at.
//
//   MULTI -> OK | command -> QUEUED ... | XADD, HSET -> QUEUED | EXEC -> [ ... ] | WATCH -> OK | GET fence -> our epoch
//
//   an error while queueing   the batch did not happen; fail with its code
//   EXEC nil                  the fence has changed: FENCED, once GET has said how
//   an error inside EXEC      all the others did happen: BatchRefused, or a dead letter per command
#include <algorithm>
#include <utility>

#include "event/crash_point.h"
#include "sinks/redis_reply.h"
#include "sinks/redis_sink_state.h"

namespace walrelay::sinks {
namespace {

// Errors that speak of the server and not of a row: no dead letter, the batch comes again. NOSCRIPT is SCRIPT FLUSH:
// the next session loads the scripts again.
bool is_systemic(std::string_view code) {
  constexpr std::string_view kCodes[] = {"OOM",      "READONLY",   "MISCONF",   "NOREPLICAS",  "LOADING", "BUSY",
                                         "NOPERM",   "MASTERDOWN", "NOAUTH",    "CLUSTERDOWN", "MOVED",   "ASK",
                                         "TRYAGAIN", "CROSSSLOT",  "UNBLOCKED", "NOSCRIPT"};
  return std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes);
}

// "EXECABORT Transaction discarded because of: READONLY You can't ..." -> what comes after the colon.
std::string_view cause_of(std::string_view error) {
  constexpr std::string_view kBecause = "because of: ";
  const std::size_t at = error.find(kBecause);
  return at == std::string_view::npos ? error : error.substr(at + kBecause.size());
}

std::string describe(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_ERROR) return without_arguments(text_of(reply));
  return "a reply of type " + std::to_string(reply.type);
}

}  // namespace

void RedisSink::State::fail(std::string code, const std::string& message) {
  fail(std::make_exception_ptr(RedisError(std::move(code), message)));
}

// Dropping the connection discards what stands in its open MULTI.
void RedisSink::State::fail(const std::exception_ptr& why) {
  if (failed) return;
  failed = true;
  error = why;
  connection.close();
  if (scanner) scanner->close();
  if (confirmer) confirmer->close();
  if (invalidator) invalidator->close();
  for (event::Timer* timer : {&flush_timer, &record_timer, &liveness_timer, &invalidation_timer}) timer->stop();
  writable.cancel();
  changed.set();
  report.schedule();
}

void RedisSink::State::on_begun(const redisReply& reply) {
  if (is_status(reply, "OK")) return;
  const std::string text = describe(reply);
  const std::string code = reply.type == REDIS_REPLY_ERROR ? error_code(text) : "LOST";
  fail(code, connection.name() + " refused MULTI: " + text);
}

void RedisSink::State::on_queued(Flight& flight, const redisReply& reply) {
  if (is_status(reply, "QUEUED")) [[likely]] {
    ++flight.queued;
    return;
  }
  if (reply.type != REDIS_REPLY_ERROR) {
    return fail("LOST", connection.name() + " answered a queued command with " + describe(reply));
  }
  const std::string text = without_arguments(text_of(reply));
  const std::string code = error_code(text);
  const std::string message = connection.name() + " refused a command" + place_of(flight, flight.queued) + ": " + text;
  if (is_systemic(code)) return fail(code, message);
  fail(std::make_exception_ptr(BatchRefused(code, message)));
}

void RedisSink::State::on_closing(const redisReply& reply) {
  Flight& flight = *executing;
  const std::size_t index = flight.answered++;
  if (index <= flight.noted) {
    if (is_status(reply, "QUEUED")) return;
    const std::string text = describe(reply);
    const std::string code = reply.type == REDIS_REPLY_ERROR ? error_code(text) : "LOST";
    return fail(code,
                connection.name() + " refused to note \"" + (index < flight.noted ? dead : checkpoint) + "\": " + text);
  }
  switch (index - flight.noted) {
    case 1:
      return on_executed(flight, reply);
    case 2:
      if (!is_status(reply, "OK")) fail("LOST", connection.name() + " refused WATCH: " + describe(reply));
      return;
    default:
      on_fence(reply, true);
  }
}

void RedisSink::State::on_executed(Flight& flight, const redisReply& reply) {
  const std::size_t expected = flight.commands + flight.noted + 1;
  if (reply.type == REDIS_REPLY_NIL) {
    flight.nil = true;
  } else if (reply.type == REDIS_REPLY_ERROR) {
    const std::string text = without_arguments(cause_of(text_of(reply)));
    fail(error_code(text), connection.name() + " refused a batch: " + text);
  } else if (reply.type != REDIS_REPLY_ARRAY || reply.elements != expected) {
    fail("LOST", connection.name() + " answered EXEC of " + std::to_string(expected) + " commands with " +
                     std::to_string(reply.elements) + " results");
  } else if (std::any_of(reply.element, reply.element + reply.elements,
                         [](const redisReply* result) { return result->type == REDIS_REPLY_ERROR; })) {
    on_refused(flight, reply);
  }
}

void RedisSink::State::on_refused(Flight& flight, const redisReply& results) {
  std::size_t refused = 0;
  std::optional<std::size_t> first;  // that may not be passed over
  for (std::size_t i = 0; i < results.elements; ++i) {
    if (results.element[i]->type != REDIS_REPLY_ERROR) continue;
    const std::string text = describe(*results.element[i]);
    const bool bookkeeping = i >= flight.commands;  // ours is refused: nothing can be noted
    if (is_systemic(error_code(text)) || bookkeeping) {
      return fail(error_code(text), connection.name() + " refused a command" + place_of(flight, i) + ": " + text);
    }
    ++refused;
    const OnPoison policy = policy_of(flight, i);
    if (policy == OnPoison::dead_letter) note_refused(flight, i, text);
    if (policy == OnPoison::skip) ++counters.skipped;
    if (policy == OnPoison::stop && !first) first = i;
  }
  counters.refused += refused;
  if (!first) return;
  const std::string text = describe(*results.element[*first]);
  std::string message = connection.name() + " refused ";
  if (options.careful) {
    message += "a command" + place_of(flight, *first) + ": " + text;
  } else {
    message +=
        std::to_string(refused) + " of " + std::to_string(flight.commands) + " commands of a batch; the first: " + text;
  }
  fail(std::make_exception_ptr(BatchRefused(error_code(text), message)));
}

OnPoison RedisSink::State::policy_of(const Flight& flight, std::size_t index) const {
  const auto place = options.careful && options.policy ? flight.keys.of_command(index) : std::nullopt;
  return place ? options.policy(place->write) : OnPoison::stop;
}

void RedisSink::State::note_refused(Flight& flight, std::size_t index, std::string text) {
  const Batch::Place place = flight.keys.of_command(index).value_or(Batch::Place{});
  DeadLetter letter;
  const auto image = flight.images.find(place.row);
  if (image != flight.images.end()) letter.image = image->second;
  letter.write = options.describe ? options.describe(place.write) : std::to_string(place.write);
  letter.key = place.key;
  letter.error = std::move(text);
  flight.letters.push_back(std::move(letter));
  ++counters.refused_notes;
}

// " for key "user:1" (mapping users, table public.users)" where that is known.
std::string RedisSink::State::place_of(const Flight& flight, std::size_t index) const {
  if (index >= flight.commands) {
    return index < flight.commands + flight.noted ? " for \"" + dead + "\"" : " for \"" + checkpoint + "\"";
  }
  const auto place = options.careful ? flight.keys.of_command(index) : std::nullopt;
  if (!place) return "";
  std::string text = " for key \"" + std::string(place->key) + "\"";
  if (options.describe) text += " (" + options.describe(place->write) + ")";
  return text;
}

void RedisSink::State::on_fence(const redisReply& reply, bool after_exec) {
  const bool ours = reply.type == REDIS_REPLY_STRING && text_of(reply) == epoch_text;
  if (ours && !(after_exec && executing->nil)) {
    if (after_exec) complete();
    return;
  }
  if (reply.type == REDIS_REPLY_ERROR) {
    const std::string text = describe(reply);
    return fail(error_code(text), connection.name() + " refused GET: " + text);
  }
  if (reply.type == REDIS_REPLY_NIL) {
    return fail("FENCED", "the key \"" + fence + "\" is gone from " + connection.name() +
                              ": it was emptied, or restarted without its data");
  }
  const std::string found = ours ? "was written in between" : "is " + std::string(text_of(reply)).substr(0, 20);
  fail("FENCED", "another walrelay has taken over slot \"" + options.slot + "\": the key \"" + fence + "\" " + found +
                     ", ours is " + epoch_text);
}

void RedisSink::State::complete() {
  event::crash_point();
  const std::unique_ptr<Flight> flight = std::move(executing);
  ++counters.batches;
  counters.commands += flight->commands;
  counters.rows += flight->rows;
  counters.transactions += flight->transactions;
  counters.coalesced += flight->coalesced;
  counters.bytes += flight->bytes;
  counters.last_batch_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - flight->left).count();
  last_checked = uv_now(loop.raw());
  const bool applied_now = land(*flight);
  pump();  // first of all the next batch: the server waits for it
  const bool shows = flight->rows > 0 || flight->transactions > 0;
  if (applied_now && shows) events.on_applied(flight->end, flight->commit_time_us);
  if (std::exchange(awaited, false)) writable.schedule();
  if (!failed) recorded(flight->verified);
  if (failed) return;
  became_emptier();
  if (here > applied) turn.schedule();
}

// Idle: FLUSHALL, another owner and a dead connection are noticed all the same.
void RedisSink::State::check_liveness() {
  if (current != nullptr || executing != nullptr || std::exchange(alive_asked, true)) return;
  std::string_view get = watch_and_get;
  get.remove_prefix(get.find("*2\r\n$3\r\nGET"));
  connection.send({get, 1, {}, [this](const redisReply& reply) {
                     alive_asked = false;
                     on_fence(reply, false);
                   }});
}

}  // namespace walrelay::sinks
