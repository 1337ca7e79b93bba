// One PostgreSQL, one Redis and one mapped table, for tests of what walrelay does when something ends:
//
//   ServerPair servers;
//   Walrelay walrelay({.config = servers.config()});
//   SteadyWriter writer(servers.postgres.conninfo());     inserts and updates until it is stopped
//   EXPECT_TRUE(servers.in_step());                       Redis holds what the table says, and nothing else
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/support/servers.h"
#include "tests/support/sql_connection.h"

namespace walrelay::support {

struct ServerPair {
  explicit ServerPair(const Postgres::Options& postgres_options = {}, const Redis::Options& redis_options = {});

  // `more`: YAML of the top level, besides source, target and mappings.
  [[nodiscard]] std::string config(const std::string& more = "flush: {interval: 10ms}") const;
  // Inserts rows `from` ... `to`, each with so many bytes.
  void insert(int from, int to, int bytes = 50);
  // Waits until every row stands in Redis with its version and size, and no other key does.
  [[nodiscard]] testing::AssertionResult in_step(milliseconds timeout = seconds(60));
  [[nodiscard]] std::string difference();  // "" when there is none
  // The same of servers that took the place of these.
  [[nodiscard]] static std::string config(const Postgres& postgres, const Redis& redis, const std::string& more);
  [[nodiscard]] static std::string difference(Postgres& postgres, Redis& redis);
  [[nodiscard]] static testing::AssertionResult in_step(Postgres& postgres, Redis& redis, milliseconds timeout);
  std::string own(const std::string& name) { return "walrelay:{pair}:" + name; }

  Postgres postgres;
  Redis redis;
};

// Writes rows 1 ... 500 again and again, with growing versions, and survives the server's ends.
class SteadyWriter {
 public:
  explicit SteadyWriter(const std::string& conninfo) : conninfo_(conninfo), thread_([this] { work(); }) {}
  ~SteadyWriter() { stop(); }
  SteadyWriter(const SteadyWriter&) = delete;
  SteadyWriter& operator=(const SteadyWriter&) = delete;
  void stop();
  [[nodiscard]] std::uint64_t committed() const { return committed_; }

 private:
  void work();
  const std::string conninfo_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> committed_ = 0;
  std::thread thread_;
};

// How many lines of a log hold these words.
std::size_t lines_with(const std::string& log, const std::string& words);

}  // namespace walrelay::support
