// A connection to Redis and a sink on it, as the supervisor has them for one session; what the sink told its owner; and
// rows for it.
#pragma once

#include <algorithm>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "sinks/redis_sink.h"
#include "tests/support/loop_task.h"

namespace walrelay::sinks {

using replication::Lsn;
using replication::Position;
using support::run_task;
using support::run_until;

inline RedisError error_of(const std::exception_ptr& why) {
  try {
    if (why) std::rethrow_exception(why);
  } catch (const RedisError& error) {
    return error;
  }
  return RedisError("", "no error");
}

template <class Call>
RedisError error_from(const Call& call) {
  try {
    call();
  } catch (const RedisError& error) {
    return error;
  }
  return RedisError("", "no error");
}

inline Position at(std::uint64_t lsn) { return {Lsn{lsn}, Lsn::invalid, 0}; }
inline Position inside(std::uint64_t committed, std::uint64_t open, std::uint64_t changes) {
  return {Lsn{committed}, Lsn{open}, changes};
}

struct Recorder : SinkEvents {
  void on_applied(const Position& position, std::int64_t commit_time_us) override {
    applied.push_back(position);
    commit_times.push_back(commit_time_us);
    if (when_applied) when_applied();
  }
  void on_recorded(const Position& position) override { recorded.push_back(position); }
  void on_writable() override {
    ++writable;
    if (when_writable) when_writable();
  }
  void on_failed(std::exception_ptr error) override {
    ++failures;
    failure = error_of(error);
    try {
      std::rethrow_exception(error);
    } catch (const BatchRefused&) {
      refused = true;
    } catch (const std::exception&) {
      refused = false;
    }
  }
  [[nodiscard]] Position last_applied() const { return applied.empty() ? Position{} : applied.back(); }
  [[nodiscard]] Position last_recorded() const { return recorded.empty() ? Position{} : recorded.back(); }

  std::vector<Position> applied, recorded;
  std::vector<std::int64_t> commit_times;
  int writable = 0, failures = 0;
  bool refused = false;
  RedisError failure{"", "no error"};
  std::function<void()> when_applied, when_writable;
};

// A connection and a sink, as the supervisor has them for one session.
struct SinkSession {
  SinkSession(event::Loop& loop_in, const RedisOptions& redis, RedisSinkOptions options)
      : loop(loop_in), connection(loop, redis), sink(loop, connection, std::move(options), events) {}

  RedisSink::Found take_over() {
    run_task(loop, connection.open());
    return run_task(loop, sink.take_over());
  }
  void begin(const Position& verified = at(0x10), const Position& sent = at(0x10)) {
    take_over();
    sink.start(origin(), "stream", verified, sent);
  }
  static Origin origin() { return {"7000", 1, "app", "i1"}; }

  // One row, as a hash with one field.
  void set(const std::string& key, const std::string& value, const Position& position, std::uint32_t write = 1,
           Effect effect = Effect::partial) {
    Batch& batch = sink.batch();
    batch.open(write, key, effect);
    batch.command(4);
    for (const std::string& word : {std::string("HSET"), key, std::string("v"), value}) batch.argument(word);
    batch.close();
    sink.row(position);
  }
  // A row that was read from a table.
  void read(const std::string& key, const std::string& value) {
    Batch& batch = sink.batch();
    batch.open(1, key, Effect::whole);
    batch.command(4);
    for (const std::string& word : {std::string("HSET"), key, std::string("v"), value}) batch.argument(word);
    batch.close();
    sink.loaded(1);
  }
  // A transaction of one row; its commit record stands just before `end`.
  void transaction(const std::string& key, const std::string& value, std::uint64_t end) {
    set(key, value, inside(end - 2, end - 1, 1));
    sink.commit(Lsn{end}, static_cast<std::int64_t>(end) * 1000);
  }
  void wait_applied(std::uint64_t end) {
    run_until(loop, [&] { return events.failures > 0 || events.last_applied() >= at(end); });
  }
  void wait_recorded(std::uint64_t end) {
    run_until(loop, [&] { return events.failures > 0 || events.last_recorded() >= at(end); });
  }
  void wait_failed() {
    run_until(loop, [&] { return events.failures > 0; });
  }

  event::Loop& loop;
  Recorder events;
  RedisConnection connection;
  RedisSink sink;
};

}  // namespace walrelay::sinks
