// Everything that can end, ends in time: the server under walrelay, walrelay under load. And nothing is missing after.
//
//   pg_ctl stop -m fast    waits for its walsenders: a consumer that holds back would hold up the server
//   SIGTERM                sends what is committed, says good-bye, exits 0; a second one does not wait for that
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/server_pair.h"

namespace walrelay::support {
namespace {

constexpr milliseconds kInTime = seconds(5);
// Small enough that none of the big backlogs below is ever held at once.
const char* const kLoad = "flush: {interval: 10ms}\nload: {chunk_bytes: 64KiB, connections: 2}";

enum class Situation { idle, streaming, redis_away, redis_paused, loading, standby };

std::string name_of(const testing::TestParamInfo<Situation>& situation) {
  static const char* const names[] = {"Idle",    "Streaming", "RedisAway", "RedisPausedWithABacklog",
                                      "Loading", "Standby"};
  return names[static_cast<int>(situation.param)];
}

// Servers, a walrelay, and what makes the situation.
class Scene {
 public:
  explicit Scene(Situation situation)
      : servers({}, {.arguments = {"--appendonly", "yes", "--save", ""}}), walrelay({.config = servers.config(kLoad)}) {
    if (situation == Situation::standby) {
      owner.emplace(Walrelay::Options{.config = servers.config(kLoad)});
      owner->start();
      owner->wait_ready();
    }
    if (situation == Situation::loading) servers.insert(1000, 150'000, 200);
    walrelay.start();
    if (situation == Situation::loading) {
      until([this] { return walrelay.metric("walrelay_snapshot_rows_total{slot=\"pair\"}") > 1000; });
    } else if (situation == Situation::standby) {
      until([this] { return walrelay.http("/readyz").body.starts_with("standby"); });
    } else {
      walrelay.wait_ready();
    }
    if (situation != Situation::idle) writer.emplace(servers.postgres.conninfo());
    if (writer) until([this] { return writer->committed() > 20; });
    if (situation == Situation::redis_away) {
      servers.redis.kill();
      walrelay.wait_log("\"level\":\"warn\"");
    }
    if (situation == Situation::redis_paused) pause_redis();
  }

  void pause_redis() {
    servers.redis.pause();
    servers.insert(1000, 100'000, 200);
    until([this] {  // it takes no more: the rest of the backlog is held by the server
      const auto received = walrelay.metric("walrelay_received_bytes_total{slot=\"pair\"}");
      const bool still = received == before_;
      before_ = received.value_or(0);
      return still && before_ > 100'000;
    });
  }

  template <class Condition>
  void until(const Condition& condition) {
    const auto held = eventually(condition);
    if (!held) throw std::runtime_error(std::string(held.message()) + walrelay.log());
  }

  ServerPair servers;
  Walrelay walrelay;
  std::optional<Walrelay> owner;
  std::optional<SteadyWriter> writer;

 private:
  double before_ = -1;
};

void bring_back(Redis& redis) {
  if (!redis.running()) {
    redis.start();
  } else {
    redis.resume();
  }
}

class FastShutdownTest : public testing::TestWithParam<Situation> {};

TEST_P(FastShutdownTest, OfTheServerIsNotHeldUp) {
  Scene scene(GetParam());
  EXPECT_LT(scene.servers.postgres.stop("fast", seconds(90)), kInTime) << scene.walrelay.log();
  EXPECT_TRUE(scene.walrelay.running()) << scene.walrelay.log();
  bring_back(scene.servers.redis);
  scene.servers.postgres.start();
  if (scene.writer) {
    const auto before = scene.writer->committed();
    EXPECT_TRUE(eventually([&] { return scene.writer->committed() > before + 20; }));
    scene.writer->stop();
  }
  scene.servers.insert(600, 610);
  EXPECT_TRUE(scene.servers.in_step()) << scene.walrelay.log();
  EXPECT_TRUE(scene.walrelay.running());
}

INSTANTIATE_TEST_SUITE_P(In, FastShutdownTest,
                         testing::Values(Situation::idle, Situation::streaming, Situation::redis_away,
                                         Situation::redis_paused, Situation::loading, Situation::standby),
                         name_of);

class TerminationTest : public testing::TestWithParam<Situation> {};

TEST_P(TerminationTest, IsInTimeAndLosesNothing) {
  Scene scene(GetParam());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(scene.walrelay.terminate(seconds(60)), 0) << scene.walrelay.log();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kInTime) << scene.walrelay.log();
  if (scene.writer) scene.writer->stop();
  bring_back(scene.servers.redis);
  scene.walrelay.start();
  EXPECT_TRUE(scene.servers.in_step()) << scene.walrelay.log();
}

INSTANTIATE_TEST_SUITE_P(In, TerminationTest,
                         testing::Values(Situation::idle, Situation::streaming, Situation::redis_away,
                                         Situation::redis_paused, Situation::loading, Situation::standby),
                         name_of);

TEST(TerminationWithoutServersTest, IsInTimeWhilePostgresIsDown) {
  Scene scene(Situation::streaming);
  scene.servers.postgres.stop("immediate");
  scene.walrelay.wait_log("\"level\":\"warn\"");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(scene.walrelay.terminate(seconds(60)), 0) << scene.walrelay.log();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kInTime);
  scene.servers.postgres.start();
  scene.writer->stop();
  scene.walrelay.start();
  EXPECT_TRUE(scene.servers.in_step()) << scene.walrelay.log();
}

TEST(TerminationWithoutServersTest, IsInTimeWhilePostgresIsPaused) {
  Scene scene(Situation::streaming);
  scene.servers.postgres.pause();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(scene.walrelay.terminate(seconds(60)), 0) << scene.walrelay.log();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kInTime);
  scene.servers.postgres.resume();
  scene.writer->stop();
  scene.walrelay.start();
  EXPECT_TRUE(scene.servers.in_step()) << scene.walrelay.log();
}

TEST(TerminationWithoutServersTest, ASecondSignalDoesNotWait) {
  Scene scene(Situation::redis_paused);
  scene.walrelay.process().signal(SIGTERM);
  scene.walrelay.wait_log("\"stopping\"");
  const auto begin = std::chrono::steady_clock::now();
  scene.walrelay.process().signal(SIGTERM);
  EXPECT_EQ(scene.walrelay.wait(seconds(60)), 128 + SIGTERM);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(1));
  scene.writer->stop();
  scene.servers.redis.resume();
  scene.walrelay.start();
  EXPECT_TRUE(scene.servers.in_step()) << scene.walrelay.log();
}

}  // namespace
}  // namespace walrelay::support
