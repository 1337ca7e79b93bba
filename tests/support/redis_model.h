// What Redis must hold for the tables of a workload (workload.h), said by SQL that the test runs itself, and how that
// differs from what it does hold. Nothing of the program's rendering is used.
#pragma once

#include <map>
#include <string>

#include "tests/support/redis_server.h"
#include "tests/support/sql_connection.h"

namespace walrelay::support {

// Fields by key; a string's only field is "" and holds JSON as jsonb prints it.
using RedisContent = std::map<std::string, std::map<std::string, std::string>>;

RedisContent content_of_tables(SqlConnection& connection);
// Every key but those under `own_prefix`. Strings are read as JSON by `connection`.
RedisContent content_of_redis(RedisClient& redis, SqlConnection& connection, const std::string& own_prefix);

// "" when both are the same; else the first differences, in both directions.
std::string differences(const RedisContent& tables, const RedisContent& redis);

}  // namespace walrelay::support
