// PostgreSQL counts microseconds from 2000-01-01, everybody else from 1970-01-01.
#pragma once

#include <cstdint>

namespace walrelay::replication {

inline constexpr std::uint64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01 00:00:00 UTC in Unix time

// Unsigned, as a hostile clock may stand anywhere: then the sum wraps around, which is defined.
constexpr std::int64_t unix_from_postgres_us(std::int64_t time) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time) + kPostgresEpochUs);
}
constexpr std::int64_t postgres_from_unix_us(std::int64_t time) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time) - kPostgresEpochUs);
}

}  // namespace walrelay::replication
