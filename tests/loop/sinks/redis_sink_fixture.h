// A sink on a fake Redis, what it told its owner, and rows for it.
#pragma once

#include "sinks/redis_sink.h"
#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {

using replication::Lsn;
using replication::Position;

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
  void set(const std::string& key, const std::string& value, const Position& position, std::uint32_t write = 1) {
    Batch& batch = sink.batch();
    batch.open(write, key, Effect::partial);
    batch.command(4);
    for (const std::string& word : {std::string("HSET"), key, std::string("v"), value}) batch.argument(word);
    batch.close();
    sink.row(position);
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

class RedisSinkTest : public testing::Test {
 protected:
  static RedisSinkOptions options() {
    RedisSinkOptions options;
    options.slot = "s";
    options.flush.interval = event::milliseconds(0);
    options.describe = [](std::uint32_t write) { return "mapping m" + std::to_string(write); };
    return options;
  }
  [[nodiscard]] std::string value_of(const std::string& key) const {
    const auto fields = server.hash(key);
    const auto found = fields.find("v");
    return found == fields.end() ? "" : found->second;
  }
  [[nodiscard]] std::string stated(const std::string& field) const {
    const auto fields = server.hash("walrelay:{s}:checkpoint");
    const auto found = fields.find(field);
    return found == fields.end() ? "" : found->second;
  }
  [[nodiscard]] std::vector<std::string> names_seen(std::size_t from = 0) const {
    std::vector<std::string> names;
    for (std::size_t i = from; i < server.seen.size(); ++i) names.push_back(server.seen[i][0]);
    return names;
  }
  [[nodiscard]] std::size_t count_seen(const std::string& name) const {
    const auto names = names_seen();
    return static_cast<std::size_t>(std::count(names.begin(), names.end(), name));
  }

  event::Loop loop;
  FakeRedis server{loop};
};

}  // namespace walrelay::sinks
