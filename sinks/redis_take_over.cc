// The slot is ours: the fence is raised before anything is read, so that a former owner that still runs can change
// nothing any more of what is read here.
#include "sinks/redis_sink_state.h"
#include "sinks/resp.h"
#include "sinks/scripts.h"

namespace walrelay::sinks {
namespace {

constexpr int kFirstWithWaitaof = 70200;

using Fields = std::map<std::string, std::string>;

event::Task<Fields> fields_at(RedisConnection& redis, std::string key) {
  auto reading = redis.command({"HGETALL", std::move(key)});
  const Reply reply = co_await std::move(reading);
  Fields fields;
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    fields.emplace(reply.elements[i].text, reply.elements[i + 1].text);
  }
  co_return fields;
}

}  // namespace

event::Task<> forget_slot(RedisConnection& connection, std::string slot) {
  const std::string key = checkpoint_key(slot);
  auto looking = connection.command({"EXISTS", key});
  const Reply standing = co_await std::move(looking);
  if (standing.integer == 0) co_return;
  auto forgetting = connection.command({"HSET", key, "slot_incarnation", ""});
  co_await std::move(forgetting);
}

event::Task<RedisSink::Found> RedisSink::take_over() {
  State& s = *state_;
  RedisConnection& redis = s.connection;
  if (s.options.ack.fsynced && redis.server_version() != 0 && redis.server_version() < kFirstWithWaitaof) {
    throw RedisError("ERR", "ack: fsynced needs Redis 7.2 or newer (WAITAOF); " + redis.name() + " is older");
  }
  auto raising = redis.command({"INCR", s.fence});
  const Reply raised = co_await std::move(raising);
  s.epoch = static_cast<std::uint64_t>(raised.integer);
  s.epoch_text = std::to_string(raised.integer);
  s.watch_and_get.clear();
  resp::append_command(s.watch_and_get, {"WATCH", s.fence});
  resp::append_command(s.watch_and_get, {"GET", s.fence});

  auto watching = redis.command({"WATCH", s.fence});
  co_await std::move(watching);
  auto looking = redis.command({"GET", s.fence});
  const Reply standing = co_await std::move(looking);
  if (standing.text != s.epoch_text) {
    throw RedisError("FENCED", "another walrelay has taken over slot \"" + s.options.slot + "\" at the same moment");
  }

  for (const Script* script : all_scripts()) {
    auto loading = redis.command({"SCRIPT", "LOAD", script->body()});
    const Reply loaded = co_await std::move(loading);
    if (loaded.text != script->sha()) throw RedisError("LOST", redis.name() + " calls a script by another name");
  }

  Found found;
  auto reading_checkpoint = fields_at(redis, s.checkpoint);
  const Fields checkpoint = co_await std::move(reading_checkpoint);
  found.checkpoint = checkpoint_from_fields(checkpoint);
  auto reading_load = fields_at(redis, load_key(s.options.slot));
  found.load = co_await std::move(reading_load);
  auto reading_reread = fields_at(redis, reread_key(s.options.slot));
  found.reread = co_await std::move(reading_reread);
  auto reading_jobs = fields_at(redis, jobs_key(s.options.slot));
  found.jobs = co_await std::move(reading_jobs);
  auto reading_mappings = fields_at(redis, mappings_key(s.options.slot));
  found.mappings = co_await std::move(reading_mappings);
  auto reading_tables = fields_at(redis, tables_key(s.options.slot));
  found.tables = co_await std::move(reading_tables);

  auto looking_for_notes = redis.command({"EXISTS", again_key(s.options.slot)});
  const Reply notes = co_await std::move(looking_for_notes);
  s.invalidation_asked = notes.integer > 0;

  auto sizing = redis.command({"DBSIZE"});
  const Reply size = co_await std::move(sizing);
  auto counting = redis.command({"EXISTS", s.fence, s.checkpoint, s.dead, load_key(s.options.slot),
                                 reread_key(s.options.slot), jobs_key(s.options.slot), mappings_key(s.options.slot),
                                 tables_key(s.options.slot), s.barrier, again_key(s.options.slot)});
  const Reply ours = co_await std::move(counting);
  found.empty_database = size.integer <= ours.integer;
  co_return std::move(found);
}

}  // namespace walrelay::sinks
