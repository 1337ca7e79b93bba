// Killed while a gap is being healed: whatever the place, the next run takes it up, and the keys of rows that were
// deleted unseen go, too. The first places are those of the start, where it is decided that they must.
//
// To repeat or to look further: WALRELAY_SWEEP_SEED=17 build/dev/tests/system --gtest_filter='GapCrashTest.*'
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <cstdlib>

#include "tests/support/gap_site.h"
#include "tests/support/presence_watch.h"
#include "tests/support/random_values.h"

namespace walrelay::support {
namespace {

constexpr std::uint64_t kStart = 12;  // every place up to this one
constexpr int kDeeper = 6;            // places of chance beyond
constexpr double kDeepest = 45;       // a healing passes some fifty

class GapCrashTest : public testing::Test {
 protected:
  void SetUp() override {
    site_.fill();
    walrelay_.configure(site_.config("on_gap: rebuild\nload: {chunk_bytes: 8KiB}"));
    walrelay_.start();
    walrelay_.wait_ready();
    ASSERT_TRUE(site_.in_step());
    ASSERT_EQ(walrelay_.terminate(), 0);
  }

  // Ten rows go unseen, ten come and ten change.
  void make_gap() {
    site_.redis->command("DEL", "walrelay:{pair}:jobs");
    site_.postgres->sql("SELECT pg_drop_replication_slot('pair')");
    const auto between = [this](int from) {
      return std::to_string(next_ + from) + " AND " + std::to_string(next_ + from + 9);
    };
    site_.postgres->sql("DELETE FROM numbers WHERE id BETWEEN " + between(0) +
                        "; UPDATE numbers SET version = nextval('versions') WHERE id BETWEEN " + between(10));
    site_.servers.insert(1000 + next_, 1009 + next_);
    next_ += 10;
    ASSERT_GE(site_.ghosts(), 10U);
  }

  void kill_at(std::uint64_t place) {
    walrelay_.set_environment({{"WALRELAY_CRASH_AT", std::to_string(place)}});
    walrelay_.start();
    const auto over = [this] { return !walrelay_.running() || is_healed(); };
    ASSERT_TRUE(eventually(over)) << walrelay_.log();
    if (walrelay_.running()) {
      ++healed_before_;
      walrelay_.kill();
    }
    ASSERT_EQ(walrelay_.wait(), 128 + SIGKILL) << walrelay_.log();
    first_log_ = walrelay_.log();
  }

  void expect_healed_by_next_run() {
    walrelay_.set_environment({});
    walrelay_.start();
    EXPECT_TRUE(eventually([this] { return is_healed(); })) << site_.job() << first_log_ << walrelay_.log();
    walrelay_.wait_ready();
    EXPECT_TRUE(site_.in_step(testing::Test::HasFailure() ? seconds(1) : seconds(60))) << first_log_ << walrelay_.log();
    EXPECT_EQ(site_.ghosts(), 0U);
    EXPECT_EQ(walrelay_.terminate(), 0) << walrelay_.log();
  }

  bool is_healed() { return site_.job().find("\"COMPLETED\"") != std::string::npos; }

  GapSite site_;
  Walrelay walrelay_{{.config = ""}};
  int next_ = 1;
  int healed_before_ = 0;  // runs that were done before they came to their place
  std::string first_log_;
};

TEST_F(GapCrashTest, IsTakenUpWhereverItWasKilled) {
  const char* given = std::getenv("WALRELAY_SWEEP_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : 1;
  RandomValues random(seed);
  PresenceWatch watch(site_.redis->socket_path(), {"number:900", "number:950", "number:1000"});
  std::vector<std::uint64_t> places;
  for (std::uint64_t place = 1; place <= kStart; ++place) places.push_back(place);
  for (int i = 0; i < kDeeper; ++i) {
    places.push_back(static_cast<std::uint64_t>(kStart * std::pow(kDeepest / kStart, random.unit())));
  }
  for (const std::uint64_t place : places) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", place " + std::to_string(place));
    ASSERT_NO_FATAL_FAILURE(make_gap());
    ASSERT_NO_FATAL_FAILURE(kill_at(place));
    ASSERT_NO_FATAL_FAILURE(expect_healed_by_next_run());
    if (HasFailure()) break;
  }
  EXPECT_LE(healed_before_, kDeeper / 2);
  watch.stop();
  EXPECT_EQ(watch.offences(), "");
}

}  // namespace
}  // namespace walrelay::support
