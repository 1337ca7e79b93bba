#include "tests/support/server_pair.h"

#include <sstream>

namespace walrelay::support {

ServerPair::ServerPair(const Postgres::Options& postgres_options, const Redis::Options& redis_options)
    : postgres(postgres_options), redis(redis_options) {
  postgres.sql(
      "CREATE TABLE numbers (id int PRIMARY KEY, version bigint NOT NULL, body text); CREATE SEQUENCE versions");
}

std::string ServerPair::config(const std::string& more) const { return config(postgres, redis, more); }
std::string ServerPair::difference() { return difference(postgres, redis); }
testing::AssertionResult ServerPair::in_step(milliseconds timeout) { return in_step(postgres, redis, timeout); }

std::string ServerPair::config(const Postgres& postgres, const Redis& redis, const std::string& more) {
  return "source: {url: \"" + postgres.conninfo() + "\", slot: pair, publication: pair}\ntarget: {url: \"unix://" +
         redis.socket_path() + "\"}\n" + more +
         "\nmappings:\n  - {table: public.numbers, write: [{hash: {key: \"number:{id}\"}}]}\n";
}

void ServerPair::insert(int from, int to, int bytes) {
  postgres.sql("INSERT INTO numbers SELECT id, nextval('versions'), repeat('n', " + std::to_string(bytes) +
               ") FROM generate_series(" + std::to_string(from) + ", " + std::to_string(to) + ") id");
}

// By sums, which hundreds of thousands of rows do not make slow.
std::string ServerPair::difference(Postgres& postgres, Redis& redis) {
  const std::string table = postgres.sql(
      "SELECT count(*) || ' rows, versions ' || coalesce(sum(version), 0) || ', bytes ' || coalesce(sum(length(body)), "
      "0) FROM "
      "numbers");
  static const char* const sum =
      "local count, versions, bytes, cursor = 0, 0, 0, '0' "
      "repeat local page = redis.call('SCAN', cursor, 'COUNT', 5000) cursor = page[1] "
      "for _, key in ipairs(page[2]) do if string.sub(key, 1, 9) ~= 'walrelay:' then "
      "local row = redis.call('HMGET', key, 'version', 'body') count = count + 1 "
      "versions = versions + tonumber(row[1]) bytes = bytes + string.len(row[2]) end end until cursor == '0' "
      "return string.format('%d rows, versions %d, bytes %d', count, versions, bytes)";
  const std::string found = redis.command("EVAL", sum, "0");
  return found == table ? "" : "the table has " + table + "; Redis has " + found;
}

testing::AssertionResult ServerPair::in_step(Postgres& postgres, Redis& redis, milliseconds timeout) {
  return eventually(
      [&] {
        const std::string found = difference(postgres, redis);
        return found.empty() ? testing::AssertionSuccess() : testing::AssertionFailure() << found;
      },
      timeout);
}

void SteadyWriter::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SteadyWriter::work() {
  std::unique_ptr<SqlConnection> connection;
  const auto stopping = [this] { return stopping_.load(); };
  for (int round = 0; !wait_until(stopping, milliseconds(1)); ++round) {
    try {
      if (connection == nullptr) connection = std::make_unique<SqlConnection>(conninfo_);
      const std::string first = std::to_string(round % 50 * 10 + 1), last = std::to_string(round % 50 * 10 + 10);
      connection->run("INSERT INTO numbers SELECT id, nextval('versions'), repeat('w', id) FROM generate_series(" +
                      first + ", " + last + ") id ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version");
      ++committed_;
    } catch (const SqlError&) {
      connection.reset();
    }
  }
}

std::size_t lines_with(const std::string& log, const std::string& words) {
  std::size_t count = 0;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) count += line.find(words) != std::string::npos ? 1U : 0U;
  return count;
}

}  // namespace walrelay::support
