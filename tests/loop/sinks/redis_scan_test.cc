// Every key of a database, one page ahead.
#include "sinks/redis_scan.h"

#include <gmock/gmock.h>

#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {
namespace {

class RedisScanTest : public RedisConnectionTest {
 protected:
  void SetUp() override { run_task(loop, connection.open()); }

  // Pages that the server has: the cursor of each is its number.
  void serve(std::vector<std::vector<std::string>> all) {
    server.on_command = [this, all = std::move(all)](const Words& words) -> std::optional<std::string> {
      if (words[0] != "SCAN") return std::nullopt;
      scans.push_back(words);
      const std::size_t page = std::stoul(words[1]);
      std::vector<std::string> keys;
      for (const std::string& key : all[page]) keys.push_back(bulk(key));
      return array({bulk(std::to_string((page + 1) % all.size())), array(keys)});
    };
  }

  RedisConnection connection{loop, server.options()};
  std::vector<Words> scans;
};

TEST_F(RedisScanTest, TheServerLooksForTheNextPageWhileThisOneIsLookedAt) {
  serve({{"a", "b"}, {}, {"c"}});
  RedisScan scan(loop, connection, {}, 10);
  EXPECT_FALSE(scan.ended());
  EXPECT_THAT(run_task(loop, scan.next()), ElementsAre("a", "b"));
  support::run_until(loop, [this] { return scans.size() == 2; });  // nobody has asked for it yet
  EXPECT_FALSE(scan.ended());
  EXPECT_THAT(run_task(loop, scan.next()), ElementsAre());
  EXPECT_FALSE(scan.ended());
  EXPECT_THAT(run_task(loop, scan.next()), ElementsAre("c"));
  EXPECT_TRUE(scan.ended());
  EXPECT_THAT(scans, ElementsAre(Words{"SCAN", "0", "COUNT", "10"}, Words{"SCAN", "1", "COUNT", "10"},
                                 Words{"SCAN", "2", "COUNT", "10"}));
}

TEST_F(RedisScanTest, OnePatternIsTheServersOfSeveralTheCallerChooses) {
  serve({{}});
  RedisScan one(loop, connection, {"user:*"}, 1000);
  run_task(loop, one.next());
  RedisScan two(loop, connection, {"user:*", "order:*"}, 1000);
  run_task(loop, two.next());
  EXPECT_THAT(scans,
              ElementsAre(Words{"SCAN", "0", "COUNT", "1000", "MATCH", "user:*"}, Words{"SCAN", "0", "COUNT", "1000"}));
}

TEST_F(RedisScanTest, TheConnectionCarriesOtherCommandsMeanwhile) {
  serve({{"a"}, {"b"}});
  server.write("k", {'s', "v", {}, {}});
  RedisScan scan(loop, connection, {}, 10);
  run_task(loop, scan.next());
  EXPECT_EQ(run_task(loop, connection.command({"GET", "k"})).text, "v");
  EXPECT_THAT(run_task(loop, scan.next()), ElementsAre("b"));
}

TEST_F(RedisScanTest, MayBeGivenUpWithAPageOnItsWay) {
  serve({{"a"}, {"b"}});
  server.write("k", {'s', "v", {}, {}});
  {
    RedisScan scan(loop, connection, {}, 10);
    run_task(loop, scan.next());
  }
  EXPECT_EQ(run_task(loop, connection.command({"GET", "k"})).text, "v");
}

TEST_F(RedisScanTest, ARefusalIsThrownByTheNextPage) {
  serve({{"a"}, {"b"}});
  RedisScan scan(loop, connection, {}, 10);
  server.on_command = [first = true](const Words& words) mutable -> std::optional<std::string> {
    if (words[0] != "SCAN") return std::nullopt;
    if (std::exchange(first, false)) return array({bulk("7"), array({bulk("a")})});
    return error("NOPERM this user has no permissions to run the 'scan' command");
  };
  EXPECT_THAT(run_task(loop, scan.next()), ElementsAre("a"));
  EXPECT_EQ(error_from([&] { run_task(loop, scan.next()); }).code(), "NOPERM");
}

TEST_F(RedisScanTest, ALostConnectionIsThrownByTheNextPage) {
  RedisScan scan(loop, connection, {}, 10);
  server.on_command = [this](const Words& words) -> std::optional<std::string> {
    if (words[0] != "SCAN") return std::nullopt;
    scans.push_back(words);
    if (scans.size() > 1) return "";  // silence
    return array({bulk("7"), array({bulk("a")})});
  };
  run_task(loop, scan.next());
  support::run_until(loop, [this] { return scans.size() == 2; });
  server.disconnect_all();
  support::run_until(loop, [this] { return !connection.is_open(); });
  EXPECT_EQ(error_from([&] { run_task(loop, scan.next()); }).code(), "LOST");
}

TEST_F(RedisScanTest, AnAnswerWithoutACursorIsNone) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] != "SCAN") return std::nullopt;
    return array({});
  };
  RedisScan scan(loop, connection, {}, 10);
  EXPECT_EQ(error_from([&] { run_task(loop, scan.next()); }).code(), "LOST");
}

}  // namespace
}  // namespace walrelay::sinks
