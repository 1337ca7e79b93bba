#include "sinks/redis_connection.h"

#include <algorithm>

#include "sinks/redis_connection_state.h"
#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

constexpr int kReadsPerTurn = 32;  // of 16 KiB; then the rest of the loop has its turn

}  // namespace

RedisConnection::State::State(event::Loop& loop_in, RedisOptions options_in, RedisConnection& owner_in)
    : loop(loop_in),
      options(std::move(options_in)),
      owner(owner_in),
      linkable(loop_in),
      silence(loop_in, [this] { on_silence(); }),
      turn(loop_in, [this] { end_turn(); }) {}

RedisConnection::State::~State() {
  for (const Expected& entry : expected) {
    if (entry.waiter != nullptr) entry.waiter->state = nullptr;  // its coroutine is never resumed
  }
}

void RedisConnection::State::queue_command(const std::vector<std::string>& arguments, Waiter& waiter) {
  if (phase != Phase::linked && phase != Phase::open) {
    if (failure) std::rethrow_exception(failure);
    throw RedisError("LOST", "not connected to " + name());
  }
  std::string bytes;
  resp::append_header(bytes, arguments.size());
  for (const std::string& argument : arguments) resp::append_bulk(bytes, argument);
  outbox.add(std::move(bytes));
  expect({1, {}, &waiter});
}

void RedisConnection::State::expect(Expected entry) {
  if (expected.empty()) {
    last_received = uv_now(loop.raw());
    if (!silence.active()) silence.start(options.reply_timeout);
  }
  expected.push_back(std::move(entry));
  turn.schedule();
}

void RedisConnection::State::forget(const Waiter* waiter) {
  for (Expected& entry : expected) {
    if (entry.waiter == waiter) entry.waiter = nullptr;
  }
}

void RedisConnection::State::on_ready(int directions) {
  if (phase == Phase::linking) {
    link->watch(event::Poll::none);  // the coroutine resumes later, and watches what it then waits for
    linkable.set();
    return;
  }
  const RedisLink* const before = link.get();
  if ((directions & event::Poll::readable) != 0) receive();
  if (link == nullptr || link.get() != before) return;
  if (outbox.size() > 0) return transmit();
  link->watch(event::Poll::readable);  // after an error of the poll libuv has stopped watching
}

void RedisConnection::State::receive() {
  RedisLink* const from = link.get();
  unread = false;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const RedisLink::Read outcome = from->read();
    if (!deliver_all(from)) return;
    if (outcome == RedisLink::Read::broken) return lost("LOST", from->failure());
    if (outcome == RedisLink::Read::some) return;
  }
  unread = true;  // what TLS has already taken from the socket no poll will report
  turn.schedule();
}

// False when the connection is no longer the one that was read from.
bool RedisConnection::State::deliver_all(const RedisLink* from) {
  try {
    for (;;) {
      const Usual usual = deliver_usual(from);
      if (usual == Usual::over) return false;
      if (usual == Usual::incomplete) return true;
      if (usual == Usual::delivered) continue;
      const ReplyPtr reply = link->next_reply();
      if (!reply) return true;
      if (!deliver(*reply) || link.get() != from) return false;
    }
  } catch (const RedisError& error) {
    lost(error.code(), error.what());
    return false;
  }
}

RedisConnection::State::Usual RedisConnection::State::deliver_usual(const RedisLink* from) {
  if (expected.empty() || !expected.front().usual) return Usual::other;
  const std::string_view usual = expected.front().usual();
  if (usual.empty()) return Usual::other;
  const RedisLink::Match match = link->take(usual);
  if (match == RedisLink::Match::no) return Usual::other;
  if (match == RedisLink::Match::so_far) return Usual::incomplete;
  last_received = uv_now(loop.raw());
  Expected& next = expected.front();
  if (next.replies > 1) {
    --next.replies;
    next.on_usual();
  } else {
    const Expected last = std::move(next);
    expected.pop_front();
    if (expected.empty()) silence.stop();
    last.on_usual();
  }
  return phase == Phase::closed || link.get() != from ? Usual::over : Usual::delivered;
}

bool RedisConnection::State::deliver(const redisReply& reply) {
  last_received = uv_now(loop.raw());
  if (expected.empty()) {
    const bool error = reply.type == REDIS_REPLY_ERROR;
    lost(error ? error_code(text_of(reply)) : "LOST",
         error ? "it said: " + without_arguments(text_of(reply)) : "it sent a reply that nobody asked for");
    return false;
  }
  Expected& next = expected.front();
  if (next.on_reply && next.replies > 1) {
    --next.replies;
    next.on_reply(reply);
    return phase != Phase::closed;
  }
  const Expected last = std::move(next);
  expected.pop_front();
  if (expected.empty()) silence.stop();
  if (last.on_reply) {
    last.on_reply(reply);
  } else if (last.waiter != nullptr) {
    last.waiter->state = nullptr;
    last.waiter->reply = to_reply(reply);
    last.waiter->done.set();
  }
  return phase != Phase::closed;
}

void RedisConnection::State::transmit() {
  RedisLink* const to = link.get();
  const bool written = to->write(outbox);
  while (const std::function<void()> call = outbox.next_written()) {
    call();
    if (link.get() != to) return;
  }
  if (written) return;
  // A server that refuses us says why before it closes: that is still to be read.
  std::string why = to->failure();
  bool broken = false;
  for (int i = 0; i < kReadsPerTurn && !broken; ++i) {
    broken = to->read() == RedisLink::Read::broken;
    if (broken) why = to->failure();
    if (!deliver_all(to)) return;
  }
  lost("LOST", why);
}

void RedisConnection::State::on_silence() {
  if (expected.empty()) return;
  const auto quiet = event::milliseconds(uv_now(loop.raw()) - last_received);
  if (quiet < options.reply_timeout) return silence.start(options.reply_timeout - quiet);
  lost("TIMEOUT", "no reply within " + std::to_string(options.reply_timeout.count()) + " ms");
}

void RedisConnection::State::lost(const std::string& code, const std::string& why) {
  const bool was_open = phase == Phase::open;
  const std::string prefix = was_open ? "lost the connection to " : "connect to ";
  failure =
      std::make_exception_ptr(RedisError(!was_open && code == "LOST" ? "CONNECT" : code, prefix + name() + ": " + why));
  close(failure);
  if (was_open) report = failure;
}

void RedisConnection::State::close(const std::exception_ptr& why) {
  if (phase == Phase::closed) return;
  phase = Phase::closed;
  silence.stop();
  linkable.set();  // whoever opens it waits for nothing more
  if (link != nullptr) link->watch(event::Poll::none);
  for (Expected& entry : expected) {
    if (entry.waiter != nullptr) entry.waiter->fail(why);
    entry.waiter = nullptr;
  }
  outbox.clear();
  buried.push_back({std::move(link), std::move(expected)});
  expected.clear();
  turn.schedule();
}

void RedisConnection::State::end_turn() {
  buried.clear();
  if (const std::exception_ptr error = std::exchange(report, nullptr)) {
    if (owner.on_lost) owner.on_lost(error);  // may have replaced or closed everything here
    return;
  }
  if (phase != Phase::linked && phase != Phase::open) return;
  const RedisLink* const before = link.get();
  if (outbox.size() > 0) transmit();
  if (unread && link != nullptr && link.get() == before) receive();
}

RedisConnection::RedisConnection(event::Loop& loop, RedisOptions options)
    : state_(std::make_unique<State>(loop, std::move(options), *this)) {}

RedisConnection::~RedisConnection() = default;

bool RedisConnection::is_open() const { return state_->phase == State::Phase::open; }

void RedisConnection::close() {
  state_->report = nullptr;
  state_->given_up = true;
  state_->close(std::make_exception_ptr(RedisError("LOST", "the connection to " + state_->name() + " was closed")));
}

event::Task<Reply> RedisConnection::command(std::vector<std::string> arguments) {
  State::Waiter waiter(*state_);
  state_->queue_command(arguments, waiter);
  co_await waiter.done;
  if (waiter.error) std::rethrow_exception(waiter.error);
  if (waiter.reply.kind == Reply::Kind::error) {
    const std::string& error = waiter.reply.text;
    throw RedisError(error_code(error),
                     state_->name() + " refused " + arguments.front() + ": " + without_arguments(error));
  }
  co_return std::move(waiter.reply);
}

void RedisConnection::send(Bulk bulk) {
  if (!is_open()) return;  // its loss has been, or is about to be, reported
  state_->outbox.add(bulk.bytes, std::move(bulk.on_written));
  if (bulk.replies > 0) {
    state_->expect({bulk.replies, std::move(bulk.on_reply), nullptr, std::move(bulk.usual), std::move(bulk.on_usual)});
  } else {
    state_->turn.schedule();
  }
}

std::size_t RedisConnection::unwritten() const { return state_->outbox.size(); }
int RedisConnection::server_version() const { return state_->server_version; }
bool RedisConnection::is_replica() const { return state_->is_replica; }
const RedisOptions& RedisConnection::options() const { return state_->options; }
std::string RedisConnection::name() const { return state_->name(); }

}  // namespace walrelay::sinks
