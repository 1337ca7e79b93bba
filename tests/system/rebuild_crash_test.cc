// walrelay is killed at random places of a rebuild, or of a comparison that mends, while somebody writes, and started
// again without a word: the job goes on by itself, its ghosts go, and Redis is what PostgreSQL says. A failure names
// its seed; to repeat one:
//   WALRELAY_REBUILD_SEED=17 build/dev/tests/system --gtest_filter='*RebuildCrashTest*/Rebuild0'
#include <signal.h>

#include <cmath>
#include <cstdlib>

#include "tests/support/random_values.h"
#include "tests/support/server_pair.h"
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {
namespace {

constexpr int kKills = 20;          // of one seed
constexpr double kDeepest = 20000;  // crash points; the writer passes several with each transaction
constexpr int kGhosts = 300;

struct Work {
  const char* name;
  const char* route;  // behind the mapping's
  const char* query;
  const char* record;  // its slice in Redis
};
constexpr Work kRebuild{"Rebuild", "reindex", "", "public.numbers"};
constexpr Work kRepair{"Repair", "verify", "?repair=true", "verify public.numbers"};

class RebuildCrashTest : public testing::TestWithParam<std::tuple<int, Work>> {
 protected:
  RebuildCrashTest() : work_(std::get<1>(GetParam())) {
    const char* seed = std::getenv("WALRELAY_REBUILD_SEED");
    seed_ = seed != nullptr ? std::stoull(seed) : static_cast<std::uint64_t>(std::get<0>(GetParam())) + 1;
    random_ = RandomValues(seed_);
  }
  [[nodiscard]] std::string seed() const { return "seed " + std::to_string(seed_); }
  [[nodiscard]] JobAnswer status() const { return JobAnswer(walrelay_.http(route() + "/status")); }
  [[nodiscard]] std::string route() const { return std::string("/api/v1/admin/index/public.numbers/") + work_.route; }
  // Keys without a row; and of rows that nobody writes some are away, and some are wrong.
  void plant() {
    servers_.redis.command("EVAL",
                           "for i = 1, " + std::to_string(kGhosts) +
                               " do redis.call('HSET', 'number:' .. (900000 + i), 'version', 1, 'body', '') "
                               "redis.call(i % 2 == 0 and 'DEL' or 'HDEL', 'number:' .. (600 + i), 'body') end",
                           "0");
  }
  // Redis remembers that the job runs: from here on it must be finished. There is none yet.
  bool begin() {
    plant();
    const auto answer = walrelay_.ask("POST", route() + work_.query);
    EXPECT_EQ(answer.status, 202) << answer.body;
    return wait_until([this] { return record().find("RUNNING") != std::string::npos || !walrelay_.running(); },
                      seconds(30));
  }

  [[nodiscard]] std::string record() { return servers_.redis.command("HGET", servers_.own("jobs"), work_.record); }

  // A job that was under way when walrelay was killed goes on with the next start, and is killed again at a place.
  void run_until_killed() {
    // It would be killed while it sweeps again and again, because each start passes several places.
    if (record().find("sweeping") != std::string::npos && random_.chance(0.7)) come_to_its_end();
    if (record().find("RUNNING") == std::string::npos) leave_unfinished();
    if (random_.chance(0.3)) return be_killed_while_it_sweeps();
    const auto place = static_cast<std::uint64_t>(std::exp(random_.unit() * std::log(kDeepest))) + 1;
    walrelay_.set_environment({{"WALRELAY_CRASH_AT", std::to_string(place)}});
    walrelay_.start();
    const auto over = [this] { return !walrelay_.running() || status().text("status") == "COMPLETED"; };
    ASSERT_TRUE(wait_until(over, seconds(60)))
        << seed() << ", place " << place << ": " << status().body() << walrelay_.log();
    if (walrelay_.running()) {
      ++whole_;
      walrelay_.kill();
      return;
    }
    ASSERT_EQ(walrelay_.wait(), 128 + SIGKILL) << seed() << walrelay_.log();
    count();
  }

  void count() {
    ++kills_;
    if (record().find("RUNNING") == std::string::npos) return;
    ++under_way_;
    reading_ += record().find("\"reading\"") != std::string::npos ? 1 : 0;
    sweeping_ += record().find("\"sweeping\"") != std::string::npos ? 1 : 0;
  }

  void come_to_its_end() {
    walrelay_.set_environment({});
    walrelay_.start();
    EXPECT_TRUE(wait_until([this] { return record().find("RUNNING") == std::string::npos; }, seconds(60)))
        << seed() << walrelay_.log();
    walrelay_.kill();
  }

  void be_killed_while_it_sweeps() {
    walrelay_.set_environment({});
    walrelay_.start();
    const auto seen = [this] { return record().find("\"reading\"") == std::string::npos || !walrelay_.running(); };
    ASSERT_TRUE(wait_until(seen, seconds(60))) << seed() << walrelay_.log();
    walrelay_.kill();
    count();
  }

  void leave_unfinished() {
    walrelay_.set_environment({});
    walrelay_.start();
    walrelay_.wait_ready();
    ASSERT_TRUE(begin()) << seed();
    walrelay_.kill();
  }

  const Work work_;
  std::uint64_t seed_ = 0;
  RandomValues random_{0};
  int kills_ = 0, under_way_ = 0, reading_ = 0, sweeping_ = 0, whole_ = 0;
  ServerPair servers_{{}, {.arguments = {"--appendonly", "yes", "--save", ""}}};
  Walrelay walrelay_{{.config = servers_.config("flush: {interval: 10ms}\nload: {chunk_bytes: 8KiB}")}};
};

TEST_P(RebuildCrashTest, TheJobGoesOnByItself) {
  servers_.insert(501, 2000);
  walrelay_.start();
  walrelay_.wait_ready();
  ASSERT_TRUE(servers_.in_step());
  walrelay_.kill();
  SteadyWriter writer(servers_.postgres.conninfo());
  for (int round = 0; kills_ < kKills && round < 3 * kKills && !HasFailure(); ++round) run_until_killed();
  // What is spoilt behind the place that a job has reached is not its to mend.
  if (record().find("RUNNING") == std::string::npos) leave_unfinished();
  walrelay_.set_environment({});
  walrelay_.start();
  EXPECT_TRUE(eventually_equal([this] { return status().text("status"); }, "COMPLETED", seconds(60)))
      << seed() << walrelay_.log();
  writer.stop();
  EXPECT_TRUE(servers_.in_step()) << seed() << walrelay_.log();
  EXPECT_GT(kills_, kKills / 2) << seed();
  EXPECT_GT(under_way_, kKills / 4) << seed() << ": too few kills met a job";
  EXPECT_GT(reading_, 2) << seed() << ": too few kills met a job that read";
  std::cout << seed() << ": killed " << kills_ << " times, " << under_way_ << " of them under a job, " << reading_
            << " while it read, " << sweeping_ << " while it swept; " << whole_ << " jobs ended before" << std::endl;
}

INSTANTIATE_TEST_SUITE_P(Seeds, RebuildCrashTest,
                         testing::Combine(testing::Range(0, 3), testing::Values(kRebuild, kRepair)),
                         [](const auto& instance) {
                           return std::string(std::get<1>(instance.param).name) +
                                  std::to_string(std::get<0>(instance.param));
                         });

}  // namespace
}  // namespace walrelay::support
