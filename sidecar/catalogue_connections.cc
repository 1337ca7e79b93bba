// How many connections the server has, of how many: for metrics, a few times a minute (catalogue.h).
#include "sidecar/catalogue.h"

namespace walrelay::sidecar {

// pg_stat_database shows the numbers to every role, pg_stat_activity only its own rows.
event::Task<> Catalogue::count_connections() {
  constexpr std::uint64_t kEvery = 15;  // polls
  if (!on_connections || polls_++ % kEvery != 0) co_return;
  const std::string sql =
      "SELECT coalesce(sum(numbackends), 0), current_setting('max_connections') FROM pg_stat_database";
  auto asking = connection_.query(sql, "count the server's connections");
  const auto found = co_await std::move(asking);
  on_connections(std::stoull("0" + found.text(0, 0)), std::stoull("0" + found.text(0, 1)));
}

}  // namespace walrelay::sidecar
