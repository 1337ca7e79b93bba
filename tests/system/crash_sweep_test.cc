// The test that proves the product: random work (support/workload.h) while walrelay is killed again and again, at the
// k-th of the places where a crash would be most awkward (event/crash_point.h), and while its servers are treated
// badly.
//
//   workload ──> PostgreSQL ──> walrelay, killed and restarted ──> Redis <── version watch: nothing goes back
//   at last:     every row and field is the same on both sides, and no other key is there
//
// A failure names its seed. To repeat one, or to search for long with seeds of chance:
//   WALRELAY_SWEEP_SEED=17 build/dev/tests/system --gtest_filter='*CrashSweepTest*/0'
//   WALRELAY_SOAK=30       build/dev/tests/system --gtest_filter='*CrashSweepTest*/0'     (minutes)
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>

#include "tests/support/random_values.h"
#include "tests/support/redis_model.h"
#include "tests/support/servers.h"
#include "tests/support/version_watch.h"
#include "tests/support/workload.h"

namespace walrelay::support {
namespace {

constexpr int kKills = 26;       // at a place, of one seed; eight seeds in a run of all tests
constexpr int kByTheClock = 40;  // ends of a run that came to no such place, one after the other: it hangs
constexpr double kShallowest = 20;
constexpr double kDeepest = 20000;  // crash points; a start passes some 20, the load and two seconds of work the rest
constexpr milliseconds kConverge = seconds(90);
const std::string kSlot = "sweep";
const std::string kOwnKeys = "walrelay:{" + kSlot + "}:";

class Sweep {
 public:
  explicit Sweep(std::uint64_t seed)
      : seed_(seed),
        random_(seed),
        redis_({.arguments = {"--appendonly", "yes", "--appendfsync", "always", "--save", ""}}),
        walrelay_({.config = configuration()}) {}

  void run() {
    Workload workload(postgres_.conninfo(), {.seed = seed_, .inexact_types = format_ != "binary"});
    VersionWatch watch(redis_.socket_path(), 2);
    workload.start();
    while (at_a_place_ < kKills && !testing::Test::HasFatalFailure()) {
      ASSERT_LT(in_vain_, kByTheClock) << "no place is passed; " << repeat() << walrelay_.log();
      run_until_killed();
    }
    workload.stop();
    EXPECT_EQ(workload.mistakes(), "") << repeat();
    if (testing::Test::HasFatalFailure()) return;
    converge();
    watch.stop();
    EXPECT_EQ(watch.offences(), "") << repeat() << "\nthe last runs' logs:\n" << history_;
    EXPECT_GT(watch.changes(), 0U) << repeat();
    report(workload, watch);
  }

 private:
  [[nodiscard]] std::string repeat() const {
    return "seed " + std::to_string(seed_) + "; repeat with WALRELAY_SWEEP_SEED=" + std::to_string(seed_) + " " +
           BINARY_DIRECTORY + "/tests/system --gtest_filter='*CrashSweepTest*/0'\nconfiguration:\n" + configuration_;
  }

  std::string configuration() {
    const auto choose = [this](std::initializer_list<const char*> words) { return std::string(random_.one_of(words)); };
    format_ = choose({"text", "binary", "auto", "auto"});
    configuration_ =
        "source: {url: \"" + postgres_.conninfo() + "\", slot: " + kSlot + ", publication: sweep, format: " + format_ +
        "}\ntarget: {url: \"unix://" + redis_.socket_path() +
        "\"}\nflush: {interval: " + choose({"0", "10ms", "100ms"}) + ", batch_size: " + choose({"1", "10", "1000"}) +
        ", max_bytes: " + choose({"4096", "64KiB", "1MiB"}) +
        ", max_transaction: " + choose({"64KiB", "64KiB", "64MiB"}) +
        "}\nload: {chunk_bytes: " + choose({"8KiB", "64KiB", "4MiB"}) + ", connections: " + choose({"1", "2", "4"}) +
        "}\nack: {hold: " + choose({"0", "1s"}) + "}\n" + workload_mappings();
    return configuration_;
  }

  // Small numbers as often as large ones: a start passes few places, and each of them counts. How many are passed
  // before the clock ends a run is the machine's affair: a run in vain halves the depth, and a kill at a place lets it
  // grow.
  std::uint64_t draw_place() { return static_cast<std::uint64_t>(std::exp(random_.unit() * std::log(depth_))); }
  milliseconds draw_time(int at_most) { return milliseconds(random_.between(200, at_most) * (1 + in_vain_ / 3)); }

  void run_until_killed() {
    const auto place = draw_place();
    walrelay_.set_environment({{"WALRELAY_CRASH_AT", std::to_string(place)}});
    walrelay_.start();
    auto status = walrelay_.process().wait(draw_time(1200));
    if (!status && random_.chance(0.6)) {
      trouble();
      status = walrelay_.process().wait(draw_time(1500));
    }
    in_vain_ = status ? 0 : in_vain_ + 1;
    depth_ = status ? std::min(kDeepest, depth_ * 1.5) : std::max(kShallowest, depth_ / 2);
    if (status) {
      ++at_a_place_;
      deepest_ = std::max(deepest_, place);
    } else {
      walrelay_.process().signal(SIGKILL);
      status = walrelay_.process().wait(seconds(10));
      ++by_the_clock_;
    }
    expect_no_gap();
    remember("place " + std::to_string(place));
    ASSERT_EQ(status, 128 + SIGKILL) << "walrelay ended by itself; " << repeat() << walrelay_.log();
  }

  // Nothing was lost, so nothing may be healed by reading everything again: that would hide a position confirmed too
  // early. Only a Redis that has never held a checkpoint is found empty.
  void expect_no_gap() const {
    std::istringstream lines(walrelay_.log());
    for (std::string line; std::getline(lines, line);) {
      if (line.find("\"gap\":") == std::string::npos) continue;
      EXPECT_NE(line.find("\"gap\":\"redis_empty\""), std::string::npos) << line << "\n" << repeat();
    }
  }

  void remember(const std::string& how_it_ended) {
    constexpr std::size_t kKept = 60000;
    history_ += walrelay_.log() + how_it_ended + "\n";
    if (history_.size() > kKept) history_.erase(0, history_.size() - kKept);
  }

  // What servers and their keepers do to connections while walrelay runs.
  void trouble() {
    switch (random_.below(6)) {
      case 0:
        postgres_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'");
        break;
      case 1:
        postgres_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'walrelay%'");
        break;
      case 2:
        redis_.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        break;
      case 3:
        postgres_.restart("immediate");
        break;
      case 4:
        postgres_.restart("fast");
        break;
      default:
        redis_.kill();
        redis_.start();
    }
    ++troubles_;
  }

  void converge() {
    walrelay_.set_environment({});
    walrelay_.start();
    SqlConnection connection(postgres_.conninfo());
    connection.run("INSERT INTO marker VALUES (1, nextval('versions'))");
    const auto arrived = [this] { return redis_.command("EXISTS", "marker:1") == "1" || !walrelay_.running(); };
    EXPECT_TRUE(eventually(arrived, kConverge) && walrelay_.running())
        << "the last row does not arrive; " << repeat() << walrelay_.log();
    const auto expected = content_of_tables(connection);
    EXPECT_GT(expected.size(), 20U) << repeat();
    const auto same = [&] {
      const std::string found = differences(expected, content_of_redis(redis_.client(), connection, kOwnKeys));
      if (found.empty() && walrelay_.http("/readyz").status == 200) return testing::AssertionSuccess();
      return testing::AssertionFailure() << found;
    };
    EXPECT_TRUE(eventually(same, testing::Test::HasFailure() ? seconds(1) : kConverge))
        << repeat() << "\nthe last run's log:\n"
        << walrelay_.log();
    expect_no_gap();
    EXPECT_EQ(walrelay_.terminate(), 0) << repeat() << walrelay_.log();
    remember("terminated");
    EXPECT_EQ(differences(expected, content_of_redis(redis_.client(), connection, kOwnKeys)), "") << repeat();
  }

  void report(const Workload& workload, const VersionWatch& watch) const {
    std::cout << "seed " << seed_ << ": killed " << at_a_place_ << " times at a place (the deepest: " << deepest_
              << ") and " << by_the_clock_ << " times by the clock, " << troubles_ << " troubles of the servers, "
              << workload.committed() << " transactions, " << workload.failed() << " failed, " << watch.changes()
              << " versions seen in " << watch.looks() << " looks" << std::endl;
  }

  const std::uint64_t seed_;
  RandomValues random_;
  Postgres postgres_;
  Redis redis_;
  std::string format_, configuration_, history_;
  Walrelay walrelay_;
  std::uint64_t deepest_ = 0;
  double depth_ = kDeepest;
  int at_a_place_ = 0, by_the_clock_ = 0, in_vain_ = 0, troubles_ = 0;
};

class CrashSweepTest : public testing::TestWithParam<int> {};

TEST_P(CrashSweepTest, RedisEqualsPostgresAndTimeNeverRunsBackwards) {
  const char* seed = std::getenv("WALRELAY_SWEEP_SEED");
  const char* soak = std::getenv("WALRELAY_SOAK");
  Sweep(seed != nullptr ? std::stoull(seed) : static_cast<std::uint64_t>(GetParam()) + 1).run();
  if (soak == nullptr) return;
  std::random_device chance;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(std::stol(soak));
  while (!HasFailure() && std::chrono::steady_clock::now() < end) Sweep(chance()).run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashSweepTest, testing::Range(0, 8));

}  // namespace
}  // namespace walrelay::support
