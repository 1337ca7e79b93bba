// The model of everything that chunks must survive: random work (support/workload.h) while rebuilds and comparisons of
// random mappings are asked for, chunks of every size are delayed and killed, and at random times
//
//   commits wait for a standby that does not answer     they stand in the stream, and no snapshot sees them
//   a transaction is held open over several chunks      with savepoints, some of them rolled back
//   walrelay is killed, or both sides lose connections  jobs go on by themselves
//   keys are spoilt behind its back                     in the later rounds, when nothing is compared any more
//
// At last every row and field is the same on both sides, no other key is there, no comparison has called a difference
// what was none, and no reader has seen a key go back in time. A failure names its seed; to repeat one:
//   WALRELAY_MODEL_SEED=17 build/dev/tests/system --gtest_filter='*RebuildModelTest*/0'
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <future>
#include <iostream>
#include <optional>

#include "tests/support/random_values.h"
#include "tests/support/redis_model.h"
#include "tests/support/servers.h"
#include "tests/support/version_watch.h"
#include "tests/support/workload.h"

namespace walrelay::support {
namespace {

constexpr int kRounds = 10;
constexpr int kDidNotEnd = -1;
constexpr milliseconds kConverge = seconds(90);
constexpr const char* kMappings[] = {
    "public.items",   "public.pairs",    "public.docs",  "public.events", "public.ledger",
    "public.parents", "public.children", "public.twins", "public.marker", "^public\\.churn_(?<n>[0-9]+)$"};
const std::string kSlot = "model";
const std::string kOwnKeys = "walrelay:{" + kSlot + "}:";

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : seed_(seed),
        random_(seed),
        redis_({.arguments = {"--appendonly", "yes", "--appendfsync", "always", "--save", ""}}),
        walrelay_({.config = configuration()}) {}

  void run() {
    Workload workload(postgres_.conninfo(),
                      {.seed = seed_, .pause = milliseconds(15), .inexact_types = format_ != "binary"});
    VersionWatch watch(redis_.socket_path(), 2);
    walrelay_.start();
    walrelay_.wait_ready();
    workload.start();
    for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) one_round(round >= kRounds / 2);
    for (const char* mapping : kMappings) rebuild_for_good(mapping);
    workload.stop();
    EXPECT_EQ(workload.mistakes(), "") << repeat();
    end_equal();
    watch.stop();
    EXPECT_EQ(watch.offences(), "") << repeat() << walrelay_.log();
    EXPECT_GT(watch.changes(), 0U) << repeat();
    std::cout << "seed " << seed_ << ": " << jobs_ << " rebuilds asked for, " << verified_ << " comparisons ended, "
              << held_ << " times commits were invisible, " << spoilt_ << " keys spoilt, " << kills_ << " kills, "
              << workload.committed() << " transactions, " << watch.changes() << " versions seen" << std::endl;
  }

 private:
  [[nodiscard]] std::string repeat() const {
    return "seed " + std::to_string(seed_) + "; repeat with WALRELAY_MODEL_SEED=" + std::to_string(seed_) +
           " --gtest_filter='*RebuildModelTest*/0'\nconfiguration:\n" + configuration_;
  }

  std::string configuration() {
    const auto choose = [this](std::initializer_list<const char*> words) { return std::string(random_.one_of(words)); };
    format_ = choose({"text", "binary", "auto"});
    configuration_ = "source: {url: \"" + postgres_.conninfo() + "\", slot: " + kSlot +
                     ", publication: model, format: " + format_ + "}\ntarget: {url: \"unix://" + redis_.socket_path() +
                     "\"}\nflush: {interval: " + choose({"0", "10ms", "50ms"}) +
                     "}\nload: {chunk_bytes: " + choose({"8KiB", "64KiB", "4MiB"}) +
                     ", connections: " + choose({"1", "2", "4"}) + "}\n" + workload_mappings();
    return configuration_;
  }

  void one_round(bool spoils) {
    std::optional<PsqlSession> open;
    if (random_.chance(0.4)) hold_open(open);
    const bool invisible = random_.chance(0.4);
    if (invisible) hide_commits();
    if (spoils) spoil();
    ask_for_jobs();
    std::future<Finished> comparison;
    if (!spoils && random_.chance(0.5)) comparison = compare();
    pass(random_.between(50, 600));
    const bool kill = random_.chance(0.35);
    if (kill) be_killed();
    pass(random_.between(50, 400));
    if (invisible) postgres_.set("synchronous_standby_names", "");
    pass(random_.between(0, 300));
    if (open) open->sql(random_.chance(0.8) ? "COMMIT" : "ROLLBACK");
    if (!comparison.valid()) return;
    const Finished compared = comparison.get();
    if (compared.status == 0) ++verified_;
    EXPECT_NE(compared.status, kDidNotEnd)
        << repeat() << compared.errors << redis_.command("HVALS", kOwnKeys + "jobs") << walrelay_.log();
    // Killed, or a table was altered meanwhile: it says so. But nothing differs, whatever is under way.
    EXPECT_NE(compared.status, 3) << repeat() << compared.output << compared.errors << walrelay_.log();
  }

  // Lets it work for a while, or until it ends by itself, which it must not.
  void pass(int time) {
    const auto status = walrelay_.process().wait(milliseconds(time));
    ASSERT_FALSE(status) << "walrelay ended by itself; " << repeat() << walrelay_.log();
  }

  // A transaction of several subtransactions, one of them rolled back, on keys that nobody else writes.
  void hold_open(std::optional<PsqlSession>& open) {
    open.emplace(postgres_);
    const auto marker = [this] {
      return "INSERT INTO marker VALUES (" + std::to_string(++markers_) + ", nextval('versions'))";
    };
    open->sql("BEGIN; " + marker() + "; SAVEPOINT a; " + marker() + "; ROLLBACK TO a; SAVEPOINT b; " + marker() +
              "; UPDATE marker SET version = nextval('versions') WHERE id > 0");
  }

  void hide_commits() {
    postgres_.set("synchronous_standby_names", "nobody");
    ++held_;
  }

  void ask_for_jobs() {
    for (std::uint64_t i = random_.below(2) + 1; i > 0; --i) ask_for_job(random_.one_of(kMappings));
  }

  bool ask_for_job(const std::string& mapping) {
    std::string path = "/api/v1/admin/index/";
    for (const char c : mapping) {
      constexpr const char* kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      path += isalnum(byte) != 0 ? std::string(1, c) : std::string("%") + kHex[byte >> 4U] + kHex[byte & 15U];
    }
    const int status = walrelay_.ask("POST", path + "/reindex").status;
    EXPECT_TRUE(status == 202 || status == 409 || status == 503 || status == 0) << path << " " << status << repeat();
    jobs_ += status == 202 ? 1 : 0;
    return status == 202;
  }

  // One that begins from here on: what was spoilt is mended by it.
  void rebuild_for_good(const std::string& mapping) {
    EXPECT_TRUE(eventually([&] { return ask_for_job(mapping); }, kConverge)) << mapping << " " << repeat() << state();
  }

  // A field too many, one too few, an end that nobody asked for, or no key; never what a reader would take for a step
  // back in time.
  void spoil() {
    constexpr const char* kHarms[] = {"more", "less", "end", "gone"};
    std::vector<std::string> keys = redis_.keys("*");
    std::erase_if(keys, [](const std::string& key) { return key.starts_with(kOwnKeys); });
    for (std::uint64_t i = random_.below(30); i > 0 && !keys.empty(); --i, ++spoilt_) {
      const std::string& key = keys[random_.below(keys.size())];
      redis_.command("EVAL", R"(local key, how = KEYS[1], ARGV[1]
if how == 'more' then redis.pcall('HSET', key, 'spoilt', '1')
elseif how == 'less' then
  local names = redis.pcall('HKEYS', key)
  for _, name in ipairs(names.err and {} or names) do
    if name ~= 'version' then redis.call('HDEL', key, name) break end
  end
elseif how == 'end' then redis.call('EXPIRE', key, 1000)
else redis.call('DEL', key) end)",
                     "1", key, std::string(random_.one_of(kHarms)));
    }
  }

  std::future<Finished> compare() {
    const std::string mapping = random_.one_of(kMappings);
    const bool repair = random_.chance(0.3);
    return std::async(std::launch::async, [this, mapping, repair] {
      std::vector<std::string> words = {"verify", "--mapping", mapping};
      if (repair) words.emplace_back("--repair");
      return verify(words);
    });
  }

  [[nodiscard]] Finished verify(const std::vector<std::string>& words) const {
    try {
      return walrelay_.command(words);
    } catch (const std::runtime_error& error) {
      return {kDidNotEnd, "", error.what()};
    }
  }
  [[nodiscard]] std::string state() { return redis_.command("HVALS", kOwnKeys + "jobs") + "\n" + walrelay_.log(); }

  void be_killed() {
    if (random_.chance(0.3)) {
      postgres_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'walrelay%'");
      redis_.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      return;
    }
    walrelay_.kill();
    walrelay_.start();
    ++kills_;
  }

  void end_equal() {
    if (testing::Test::HasFatalFailure()) return;
    SqlConnection connection(postgres_.conninfo());
    connection.run("INSERT INTO marker VALUES (0, nextval('versions'))");
    const auto expected = content_of_tables(connection);
    EXPECT_GT(expected.size(), 20U) << repeat();
    const auto same = [&] {
      const std::string found = differences(expected, content_of_redis(redis_.client(), connection, kOwnKeys));
      const std::string jobs = redis_.command("HVALS", kOwnKeys + "jobs");
      if (found.empty() && jobs.find("RUNNING") == std::string::npos && walrelay_.http("/readyz").status == 200) {
        return testing::AssertionSuccess();
      }
      return testing::AssertionFailure() << found << jobs;
    };
    EXPECT_TRUE(eventually(same, kConverge)) << repeat() << walrelay_.log();
    const Finished compared = verify({"verify"});
    EXPECT_EQ(compared.status, 0) << repeat() << compared.output << compared.errors << state();
    EXPECT_EQ(walrelay_.terminate(), 0) << repeat() << walrelay_.log();
    EXPECT_EQ(differences(expected, content_of_redis(redis_.client(), connection, kOwnKeys)), "") << repeat();
  }

  const std::uint64_t seed_;
  RandomValues random_;
  Postgres postgres_;
  Redis redis_;
  std::string format_, configuration_;
  Walrelay walrelay_;
  int jobs_ = 0, verified_ = 0, held_ = 0, kills_ = 0, markers_ = 0, spoilt_ = 0;
};

class RebuildModelTest : public testing::TestWithParam<int> {};

TEST_P(RebuildModelTest, EndsEqualAndNothingIsCalledDifferentThatIsNot) {
  const char* seed = std::getenv("WALRELAY_MODEL_SEED");
  Model(seed != nullptr ? std::stoull(seed) : static_cast<std::uint64_t>(GetParam()) + 1).run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RebuildModelTest, testing::Range(0, 4));

}  // namespace
}  // namespace walrelay::support
