// Words that users of other drivers write into connection URLs, and what they mean here.
//
//   pgx, JDBC, Prisma, node-postgres, asyncpg, SQLAlchemy, sqlx, Rails ... -> a libpq keyword, or nothing at all
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walrelay::config {

struct DriverWord {
  std::string_view name;
  std::string_view keyword;  // the libpq keyword that says the same; empty: understood, not passed on
};

// Null when no driver is known to use the word. Exact: JDBC's words tell upper from lower case.
const DriverWord* find_driver_word(std::string_view name);

// All of them, for "did you mean".
std::vector<std::string> driver_words();

// Words of Redis clients in redis:// URLs that say nothing to walrelay: pools, their timeouts, names.
bool is_redis_client_word(std::string_view name);

}  // namespace walrelay::config
