// The promise itself, against a model: random transactions, the connection killed at a random byte or reply, a new
// session that replays from what Redis says; at the end Redis equals the model, and no reader ever saw a version go
// back or half of a transaction.
#include <random>

#include "tests/loop/sinks/redis_sink_fixture.h"

namespace walrelay::sinks {
namespace {

struct Row {
  std::string key;
  std::uint64_t version = 0;  // 0: deleted
  bool truncate = false;
};
struct Transaction {
  std::uint64_t commit = 0, end = 0;
  std::vector<Row> rows;
};

class RedisModelTest : public RedisSinkTest {
 protected:
  // Every row of a transaction carries its number, which only grows.
  static std::vector<Transaction> make_history(std::mt19937_64& random) {
    std::vector<Transaction> history;
    const auto pick = [&](std::uint64_t below) { return random() % below; };
    for (std::uint64_t i = 1; i <= 60; ++i) {
      Transaction one{i * 100 + 50, i * 100 + 60, {}};
      const std::uint64_t rows = pick(20) == 0 ? 120 : pick(6);
      for (std::uint64_t r = 0; r < rows; ++r) {
        one.rows.push_back({"r:" + std::to_string(pick(20)), pick(5) == 0 ? 0 : i, pick(60) == 0});
      }
      history.push_back(one);
    }
    return history;
  }

  // What the keys are after the first `count` transactions.
  static std::map<std::string, std::uint64_t> state_after(const std::vector<Transaction>& history, std::size_t count) {
    std::map<std::string, std::uint64_t> state;
    for (std::size_t i = 0; i < count; ++i) {
      for (const Row& row : history[i].rows) {
        if (row.truncate) {
          state.clear();
        } else if (row.version == 0) {
          state.erase(row.key);
        } else {
          state[row.key] = row.version;
        }
      }
    }
    return state;
  }

  [[nodiscard]] std::map<std::string, std::uint64_t> shown() const {
    std::map<std::string, std::uint64_t> state;
    for (const auto& [key, value] : server.keys) {
      if (key.starts_with("r:")) state[key] = std::stoull(value.fields.at("v"));
    }
    return state;
  }

  void feed(SinkSession& session, const Transaction& one, const Position& skip, std::uint64_t before) {
    if (at(one.end) <= skip) return;
    std::uint64_t change = 0;
    for (const Row& row : one.rows) {
      const Position here = inside(before, one.commit, ++change);
      if (session.events.failures > 0) return;
      if (here <= skip) continue;
      if (row.truncate) {
        session.sink.remove_owned({{"r:*", [](std::string_view key) { return key.starts_with("r:"); }}}, {1});
        session.sink.row(here);
      } else if (row.version == 0) {
        Batch& batch = session.sink.batch();
        batch.open(1, row.key, Effect::remove);
        batch.command(2);
        batch.argument("UNLINK");
        batch.argument(row.key);
        batch.close();
        session.sink.row(here);
      } else {
        session.set(row.key, std::to_string(row.version), here);
      }
      if (session.sink.full()) wait(session);
    }
    session.sink.commit(Lsn{one.end}, 1);
    if (session.sink.full()) wait(session);
  }
  void wait(SinkSession& session) {
    run_until(loop, [&] { return session.events.failures > 0 || !session.sink.full(); });
  }

  // One life of the process. True when it came to the end.
  bool live(const std::vector<Transaction>& history, std::mt19937_64& random, const RedisSinkOptions& how) {
    SinkSession session(loop, server.options(), how);
    try {
      const RedisSink::Found found = session.take_over();
      const Position verified = found.checkpoint ? found.checkpoint->verified : at(1);
      session.sink.start(SinkSession::origin(), "stream", verified,
                         found.checkpoint ? found.checkpoint->sent : verified);
      std::uint64_t before = 1;
      for (const Transaction& one : history) {
        feed(session, one, verified, before);
        before = one.end;
        if (random() % 4 == 0) uv_run(loop.raw(), UV_RUN_NOWAIT);
      }
      session.sink.flush();
      run_until(loop, [&] { return session.events.failures > 0 || session.sink.drained(); });
    } catch (const RedisError& error) {
      EXPECT_THAT(error.code(), testing::AnyOf("CONNECT", "LOST")) << error.what();
      return false;
    }
    if (session.events.failures > 0) {
      EXPECT_THAT(session.events.failure.code(), testing::AnyOf("CONNECT", "LOST")) << session.events.failure.what();
    }
    return session.events.failures == 0;
  }

  void run_seed(std::uint64_t seed, bool cuts) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::vector<Transaction> history = make_history(random);
    RedisSinkOptions how = options();
    how.flush.batch_size = 1 + random() % 8;
    how.flush.max_bytes = cuts ? 1500 : 500 + random() % 8000;
    how.flush.max_transaction = cuts ? 3000 : 1024 * 1024;
    how.careful = random() % 2 == 0;
    if (how.careful && !cuts) how.flush.max_bytes = 64 * 1024;  // what it holds at most is cut
    server.flush_all();
    std::size_t seen = 0;  // how many transactions a reader has seen
    server.on_executed = [&] {
      if (cuts) return;
      const auto now = shown();
      std::size_t next = seen;
      while (next <= history.size() && state_after(history, next) != now) ++next;
      EXPECT_LE(next, history.size()) << "a state that never was, or one that was left behind, after " << seen;
      if (next <= history.size()) seen = next;
    };
    bool finished = false;
    for (int life = 0; !finished && life < 200; ++life) {
      server.received = server.replies = 0;
      server.break_at_byte = server.break_at_reply = FakeRedis::kNever;
      if (life < 40) {
        (random() % 2 == 0 ? server.break_at_byte : server.break_at_reply) = 200 + random() % (600U << (life / 10 * 2));
      }
      server.run_before_break = random() % 2 == 0;
      finished = live(history, random, how);
      run_until(loop, [&] { return server.sessions() == 0; });
    }
    EXPECT_TRUE(finished);
    EXPECT_EQ(shown(), state_after(history, history.size()));
    EXPECT_EQ(stated("verified"), to_field(at(history.back().end)));
    server.on_executed = nullptr;
  }
};

TEST_F(RedisModelTest, KilledAnywhereItConvergesAndNothingGoesBack) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) run_seed(seed, false);
}

TEST_F(RedisModelTest, TransactionsInPartsConvergeToo) {
  for (std::uint64_t seed = 1001; seed <= 1040; ++seed) run_seed(seed, true);
}

}  // namespace
}  // namespace walrelay::sinks
