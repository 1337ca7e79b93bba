#include "tests/support/gap_site.h"

#include <set>
#include <sstream>

namespace walrelay::support {

std::string GapSite::config(const std::string& more) const {
  return ServerPair::config(*postgres, *redis, "flush: {interval: 10ms}\nack: {hold: 0}\n" + more);
}

testing::AssertionResult GapSite::in_step(milliseconds timeout) {
  return ServerPair::in_step(*postgres, *redis, timeout);
}

void GapSite::change_and_confirm() {
  postgres->sql(
      "INSERT INTO numbers SELECT id, nextval('versions'), 'later' FROM generate_series(1001, 1100) id; "
      "DELETE FROM numbers WHERE id <= 10; "
      "UPDATE numbers SET version = nextval('versions'), body = 'other' WHERE id BETWEEN 101 AND 200");
  const std::string end = postgres->sql("SELECT pg_current_wal_lsn()");
  ASSERT_TRUE(in_step());
  const auto confirmed = [&] {
    return postgres->sql("SELECT confirmed_flush_lsn >= '" + end + "' FROM pg_replication_slots") == "t";
  };
  ASSERT_TRUE(eventually(confirmed));
}

std::size_t GapSite::ghosts() {
  std::set<std::string> rows;
  std::istringstream ids(postgres->sql("SELECT 'number:' || id FROM numbers"));
  for (std::string key; std::getline(ids, key);) rows.insert(key);
  std::size_t count = 0;
  for (const std::string& key : redis->keys("number:*")) count += rows.count(key) == 0 ? 1U : 0U;
  return count;
}

std::string GapSite::job() { return redis->command("HVALS", "walrelay:{pair}:jobs"); }

}  // namespace walrelay::support
