#include "sidecar/health.h"

#include <sstream>
#include <string>
#include <vector>

#include "config/json_text.h"
#include "sidecar/readable.h"

namespace walrelay::sidecar {

using config::Json;

namespace {

struct Check {
  std::string name;
  bool passed = true;
  std::string words;
};

// As Kubernetes' own components list them.
HttpAnswer checked(const std::string& page, const std::vector<Check>& checks) {
  std::string body;
  bool passed = true;
  for (const Check& check : checks) {
    body += std::string(check.passed ? "[+]" : "[-]") + check.name + (check.passed ? " ok" : " failed") +
            (check.words.empty() ? "" : ": " + check.words) + "\n";
    passed = passed && check.passed;
  }
  body += page + (passed ? " check passed\n" : " check failed\n");
  return {.status = passed ? 200U : 503U, .body = std::move(body)};
}

Check process_check(const Overview& overview) {
  const double up = static_cast<double>(overview.now_us - overview.started_us) / 1e6;
  return {"process", true, "up " + readable_duration(up)};
}

std::string state_name(const Status& status) { return kStateNames[static_cast<std::size_t>(status.state)]; }

std::string connection_words(bool connected, const std::string& peer) {
  return connected ? peer : "not connected" + (peer.empty() ? "" : ", last to " + peer);
}

Json flag(bool value) { return Json::raw(value ? "true" : "false"); }
Json text_or_null(const std::string& text) { return text.empty() ? Json::raw("null") : Json::text(text); }

// As it would be written: 0.7, 0.5.
Json number(double value) {
  std::ostringstream text;
  text << value;
  return Json::raw(text.str());
}

Json json_of(const config::Health& thresholds) {
  const auto part_of_one = [](int percent) { return number(percent / 100.0); };
  Json json = Json::object();
  json.add("cacheHitRatioBelow", part_of_one(thresholds.cache_hit_ratio_below));
  json.add("p95SecondsAbove", number(static_cast<double>(thresholds.p95_above.count()) / 1000));
  json.add("databaseConnectionsAbove", part_of_one(thresholds.database_connections_above));
  json.add("redisMemoryAbove", part_of_one(thresholds.redis_memory_above));
  return json;
}

// Of 1; null where it is not known.
Json part(bool known, std::uint64_t of, std::uint64_t all) {
  if (!known || all == 0) return Json::raw("null");
  return Json::raw(std::to_string(static_cast<double>(of) / static_cast<double>(all)));
}

Json database_use(const Status& status) {
  return part(status.postgres.known, status.postgres.connections, status.postgres.connections_max);
}
Json redis_use(const Status& status) {
  return part(status.redis.known, status.redis.memory_used, status.redis.memory_max);
}
Json hit_ratio(const Status& status) {
  return part(status.redis.known, status.redis.hits, status.redis.hits + status.redis.misses);
}

HttpAnswer json_answer(bool good, const Json& json) {
  return {good ? 200U : 503U, "application/json", json.print() + "\n"};
}

// Of 0.95: the bound of the bucket in which it lies. Nothing: no batch yet, or beyond the last bound.
Json p95(const Histogram& histogram) {
  const double wanted = 0.95 * static_cast<double>(histogram.count());
  for (std::size_t i = 0; histogram.count() > 0 && i < histogram.bounds().size(); ++i) {
    if (static_cast<double>(histogram.buckets()[i]) >= wanted) {
      std::string text = std::to_string(histogram.bounds()[i]);
      return Json::raw(text);
    }
  }
  return Json::raw("null");
}

}  // namespace

bool is_ready(const Status& status) {
  return status.state == State::streaming && status.redis_connected && status.postgres_connected;
}

HttpAnswer livez(const Overview& overview, std::int64_t longest_delay_ms, bool verbose) {
  if (!verbose) return {.body = "alive\n"};
  const std::string late = "at most " + std::to_string(longest_delay_ms) + " ms late in the last minutes";
  return checked("livez", {process_check(overview), {"event-loop", true, late}});
}

HttpAnswer startupz(const Overview& overview, bool verbose) {
  if (!verbose) return {.body = "started\n"};
  return checked("startupz", {process_check(overview), {"configuration", true, ""}});
}

HttpAnswer readyz(const Overview& overview, bool verbose) {
  const Status& status = overview.status;
  const bool ready = is_ready(status);
  if (!verbose) {
    std::string body = state_name(status);
    if (!ready && !status.last_error.empty()) body += ": " + status.last_error;
    return {.status = ready ? 200U : 503U, .body = body + "\n"};
  }
  const bool read = status.state == State::streaming;
  std::vector<Check> checks = {
      process_check(overview),
      {"postgresql", status.postgres_connected, connection_words(status.postgres_connected, status.postgres_peer)},
      {"redis", status.redis_connected, connection_words(status.redis_connected, status.redis_peer)},
      {"slot", status.owner, status.owner ? status.slot : "not ours"},
      {"tables", read, sentence_of(overview)}};
  return checked("readyz", checks);
}

HttpAnswer health(const Overview& overview, const Peers& peers, const config::Health& thresholds, bool verbose) {
  const bool good = peers.postgres && peers.redis;
  const char* status = good ? "ok" : peers.postgres || peers.redis ? "degraded" : "error";
  Json json = Json::object();
  json.add("status", Json::text(status));
  json.add("database", Json::text(peers.postgres ? "postgresql:ok" : "postgresql:error"));
  json.add("cache", Json::text(peers.redis ? "redis:ok" : "redis:error"));
  if (verbose) {
    json.add("state", Json::text(state_name(overview.status))).add("sentence", Json::text(sentence_of(overview)));
    json.add("lagSeconds", Json::raw(std::to_string(overview.status.lag_seconds)));
    json.add("p95Seconds", p95(overview.status.end_to_end)).add("cacheHitRatio", hit_ratio(overview.status));
    json.add("databaseConnections", database_use(overview.status)).add("redisMemory", redis_use(overview.status));
    json.add("databaseError", text_or_null(peers.postgres_error)).add("cacheError", text_or_null(peers.redis_error));
    json.add("thresholds", json_of(thresholds));
  }
  return json_answer(good, json);
}

HttpAnswer health_of_database(const Overview& overview, const Peers& peers, const config::Health& thresholds) {
  const Status& status = overview.status;
  Json json = Json::object().with("postgresql", flag(peers.postgres)).with("redis", flag(peers.redis));
  Json features = Json::object().with("replication", flag(status.owner && status.postgres_connected));
  features.add("caching", flag(is_ready(status)));
  json.add("features", std::move(features));
  json.add("address", text_or_null(status.postgres_peer)).add("version", text_or_null(status.postgres_version));
  json.add("connections", database_use(status));
  json.add("slot", Json::text(status.slot)).add("walStatus", text_or_null(status.wal_status));
  json.add("slotRisk", Json::text(name_of(slot_risk_of(overview))));
  json.add("error", text_or_null(peers.postgres_error)).add("thresholds", json_of(thresholds));
  return json_answer(peers.postgres && peers.redis, json);
}

HttpAnswer health_of_redis(const Overview& overview, const Peers& peers, const config::Health& thresholds) {
  const Status& status = overview.status;
  Json json = Json::object().with("redis", flag(peers.redis));
  json.add("address", text_or_null(status.redis_peer)).add("version", text_or_null(status.redis_version));
  json.add("memory", redis_use(status)).add("hitRatio", hit_ratio(status));
  json.add("error", text_or_null(peers.redis_error)).add("thresholds", json_of(thresholds));
  return json_answer(peers.redis, json);
}

}  // namespace walrelay::sidecar
