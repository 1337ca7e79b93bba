// The servers of a test that breaks what Redis and the slot agree on (tests/system/gap_fixture.h), and what it asks
// them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/server_pair.h"

namespace walrelay::support {

struct GapSite {
  [[nodiscard]] std::string config(const std::string& more) const;
  [[nodiscard]] testing::AssertionResult in_step(milliseconds timeout = seconds(60));
  // Rows 1 ... 1000: what every side has before anything happens.
  void fill() { servers.insert(1, 1000); }
  // Rows 1001 ... 1100 come, 1 ... 10 go, 101 ... 200 change. Returns when PostgreSQL has heard that Redis has it all.
  void change_and_confirm();
  // Keys of rows that are not there.
  [[nodiscard]] std::size_t ghosts();
  // The record of the sweep that follows a gap, as Redis keeps it: "" when there is none.
  [[nodiscard]] std::string job();

  ServerPair servers{{.settings = {}, .initdb = {"--wal-segsize=1"}}, {}};
  std::unique_ptr<Postgres> other_postgres;
  std::unique_ptr<Redis> other_redis;
  // Those in use: others may have taken the place of the first.
  Postgres* postgres = &servers.postgres;
  Redis* redis = &servers.redis;
};

}  // namespace walrelay::support
