// ack.replicas and ack.fsynced: a position counts as recorded once replicas, or the disk, hold its checkpoint.
//
// A second connection writes a key of its own after the checkpoint was acknowledged and waits for that key. The
// replication stream is one log, so whoever holds this key holds everything before it, by whichever connection.
#include <algorithm>

#include "sinks/redis_sink_state.h"

namespace walrelay::sinks {
namespace {

constexpr std::chrono::milliseconds kRound{1000};

}  // namespace

void RedisSink::State::recorded(const Position& position) {
  if (position <= recorded_to || position <= confirm_target) return;
  if (options.ack.replicas == 0 && !options.ack.fsynced) {
    recorded_to = position;
    events.on_recorded(position);
    return;
  }
  confirm_target = position;
  if (confirm_job != nullptr && !confirm_job->finished()) return;
  confirm_job = std::make_unique<event::Job>(loop, confirm(), [this](const std::exception_ptr& why) {
    if (why) fail(why);
  });
}

// A side connection repeats the main one's options; it is opened when it is first needed, and again when it was lost.
event::Task<> RedisSink::State::open_side(std::unique_ptr<RedisConnection>& side, std::string purpose) {
  if (side != nullptr && side->is_open()) co_return;
  RedisOptions same = connection.options();
  same.client_name += "-" + purpose;
  side = std::make_unique<RedisConnection>(loop, std::move(same));
  auto opening = side->open();
  co_await std::move(opening);
}

event::Task<> RedisSink::State::confirm() {
  auto opening = open_side(confirmer, "confirm");
  co_await std::move(opening);
  while (!failed && confirm_target > recorded_to) {
    const Position target = confirm_target;
    auto marking = confirmer->command({"SET", barrier, epoch_text});
    co_await std::move(marking);
    auto replicated = wait_for_replicas();
    co_await std::move(replicated);
    auto fsynced = wait_for_disk();
    co_await std::move(fsynced);
    if (failed) co_return;
    recorded_to = target;
    events.on_recorded(target);
  }
}

// Fewer than asked for is no error: the position stays unrecorded until enough are back.
event::Task<> RedisSink::State::wait_for_replicas() {
  const std::string round = std::to_string(std::min(kRound, connection.options().reply_timeout / 2).count());
  while (!failed && options.ack.replicas > 0) {
    auto waiting = confirmer->command({"WAIT", std::to_string(options.ack.replicas), round});
    const Reply held = co_await std::move(waiting);
    if (held.integer >= options.ack.replicas) co_return;
  }
}

event::Task<> RedisSink::State::wait_for_disk() {
  const std::string round = std::to_string(std::min(kRound, connection.options().reply_timeout / 2).count());
  while (!failed && options.ack.fsynced) {
    auto waiting = confirmer->command({"WAITAOF", "1", "0", round});
    const Reply held = co_await std::move(waiting);
    if (!held.elements.empty() && held.elements.front().integer >= 1) co_return;
  }
}

}  // namespace walrelay::sinks
