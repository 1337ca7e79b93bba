// The overview as GET /api/v1/status answers it. What stood here before keeps its name and its form.
#include <cmath>
#include <cstdio>

#include "config/json_text.h"
#include "sidecar/failures.h"
#include "sidecar/overview.h"
#include "sidecar/version.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

using config::Json;

namespace {

constexpr std::size_t kMostMappings = 200, kMostTables = 200, kMostJobs = 200;

Json null() { return Json::raw("null"); }
Json flag(bool value) { return Json::raw(value ? "true" : "false"); }
Json whole(std::uint64_t value) { return Json::raw(std::to_string(value)); }
Json signed_whole(std::int64_t value) { return Json::raw(std::to_string(value)); }
Json text_or_null(const std::string& text) { return text.empty() ? null() : Json::text(text); }
Json lsn(replication::Lsn position) { return Json::text(replication::to_string(position)); }
Json time_or_null(std::int64_t us) { return us <= 0 ? null() : Json::text(iso_time(us)); }

std::string digits(double value) {  // three behind the point, without zeros that say nothing
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", std::isfinite(value) ? value : 0.0);
  std::string out = text;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}
Json number(double value) { return Json::raw(digits(value)); }

Json slot_state(const Overview& overview) {
  const Status& status = overview.status;
  Json json = Json::object();
  json.add("active", flag(status.slot_active)).add("walStatus", text_or_null(status.wal_status));
  json.add("retainedWalBytes", signed_whole(status.retained_wal_bytes));
  json.add("safeWalBytes", status.safe_wal_bytes < 0 ? null() : signed_whole(status.safe_wal_bytes));
  const auto left = overview.history.seconds_to_loss(status, overview.now_us);
  json.add("secondsToLoss", left ? number(std::floor(*left)) : null());
  json.add("risk", Json::text(name_of(slot_risk_of(overview))));
  json.add("seenAt", time_or_null(status.slot_seen_us));
  return json;
}

Json connection(bool connected, const std::string& address, const std::string& server_version) {
  Json json = Json::object().with("connected", flag(connected));
  return std::move(json).with("address", text_or_null(address)).with("version", text_or_null(server_version));
}

void add_changes(Json& json, const ChangeCounts& changes) {
  json.add("inserts", whole(changes.inserts)).add("updates", whole(changes.updates));
  json.add("deletes", whole(changes.deletes)).add("truncates", whole(changes.truncates));
}

Json mapping_details(const Overview& overview) {
  Json list = Json::array();
  const auto job = [&](const Job* of) { return of == nullptr ? null() : Json::raw(to_json(*of, overview.now_us)); };
  for (const MappingReport& report : mapping_reports(overview, kMostMappings)) {
    Json json = Json::object();
    json.add("name", Json::text(report.name)).add("tables", whole(report.tables));
    json.add("tablesLoading", whole(report.loading));
    add_changes(json, report.changes);
    json.add("rebuild", job(report.rebuild)).add("verify", job(report.verify));
    list.add(std::move(json));
  }
  return list;
}

Json tables(const Overview& overview) {
  Json list = Json::array();
  for (const TableReport& table : busiest(overview.tables, kMostTables)) {
    Json json = Json::object();
    json.add("table", Json::text(table.name)).add("mappings", Json::texts(table.mappings));
    json.add("loading", flag(table.loading));
    add_changes(json, table.changes);
    list.add(std::move(json));
  }
  return list;
}

Json load(const Overview& overview) {
  const Status& status = overview.status;
  if (status.state != State::loading) return null();
  const LoadProgress& load = status.load;
  Json json = Json::object();
  json.add("tables", whole(load.tables)).add("tablesDone", whole(load.tables_done));
  json.add("currentTable", text_or_null(status.loading_table));
  json.add("rows", whole(load.rows)).add("estimatedRows", whole(load.estimated_rows));
  json.add("bytes", whole(load.bytes));
  const double rate = overview.history.rows_per_second();
  const bool known = rate > 0 && load.estimated_rows > load.rows;
  json.add("rowsPerSecond", number(rate));
  json.add("etaSeconds",
           known ? number(std::ceil(static_cast<double>(load.estimated_rows - load.rows) / rate)) : null());
  return json;
}

Json errors(const Status& status) {
  Json list = Json::array();
  for (const Failure& failure : status.failures.latest()) {
    Json json = Json::object();
    json.add("at", Json::text(iso_time(failure.last_us))).add("firstAt", Json::text(iso_time(failure.first_us)));
    json.add("count", whole(failure.count)).add("reason", Json::text(failure.reason));
    json.add("message", Json::text(failure.sentence)).add("runbook", text_or_null(runbook_of(failure.reason)));
    list.add(std::move(json));
  }
  return list;
}

// Two lists of numbers in one line each.
Json history(const History& history) {
  std::string lags, rows;
  for (const History::Point& point : history.points()) {
    lags += (lags.empty() ? "" : ", ") + digits(point.lag_seconds);
    rows += (rows.empty() ? "" : ", ") + digits(point.rows_per_second);
  }
  Json json = Json::object().with("stepSeconds", signed_whole(History::kStepSeconds));
  return std::move(json)
      .with("lagSeconds", Json::raw("[" + lags + "]"))
      .with("rowsPerSecond", Json::raw("[" + rows + "]"));
}

Json counters(const Status& status) {
  Json json = Json::object();
  json.add("transactions", whole(status.pipeline.transactions)).add("changes", whole(status.pipeline.changes));
  json.add("rowsWritten", whole(status.sink.rows)).add("commands", whole(status.sink.commands));
  json.add("batches", whole(status.sink.batches)).add("coalesced", whole(status.sink.coalesced));
  json.add("deadLetters", whole(status.sink.refused_rows + status.sink.refused_notes))
      .add("removedKeys", whole(status.removed_keys));
  json.add("receivedBytes", whole(status.received_bytes)).add("bufferedBytes", whole(status.buffered_bytes));
  json.add("pendingRereads", whole(status.pending_rereads)).add("dirtyDocuments", whole(status.dirty_documents));
  json.add("sessions", whole(status.sessions));
  return json;
}

void add_process(Json& json, const Overview& overview) {
  json.add("version", Json::text(version()));
  json.add("sentence", Json::text(sentence_of(overview)));
  json.add("health", Json::text(name_of(health_of(overview))));
  json.add("state", Json::text(kStateNames[static_cast<std::size_t>(overview.status.state)]));
  json.add("time", Json::text(iso_time(overview.now_us))).add("startedAt", time_or_null(overview.started_us));
  json.add("uptimeSeconds", signed_whole((overview.now_us - overview.started_us) / 1000000));
  json.add("slot", Json::text(overview.status.slot));
  json.add("publication", Json::text(overview.config.source.publication));
}

void add_positions(Json& json, const Status& status) {
  json.add("owner", flag(status.owner));
  json.add("applied", lsn(status.applied)).add("received", lsn(status.received));
  json.add("recorded", lsn(status.recorded)).add("confirmed", lsn(status.confirmed));
  json.add("serverEnd", lsn(status.server_end));
  json.add("lagSeconds", number(status.lag_seconds)).add("lagBytes", signed_whole(status.lag_bytes));
  json.add("lastCommitAt", time_or_null(std::llround(status.last_applied_commit_seconds * 1e6)));
  json.add("retainedWalBytes", signed_whole(status.retained_wal_bytes));
}

}  // namespace

std::string status_json(const Overview& overview) {
  const Status& status = overview.status;
  Json json = Json::object();
  add_process(json, overview);
  json.add("postgres", flag(status.postgres_connected)).add("redis", flag(status.redis_connected));
  Json connections = Json::object();
  connections.add("postgres", connection(status.postgres_connected, status.postgres_peer, status.postgres_version));
  connections.add("redis", connection(status.redis_connected, status.redis_peer, status.redis_version));
  json.add("connections", std::move(connections));
  add_positions(json, status);
  json.add("rowsPerSecond", number(overview.history.rows_per_second()));
  json.add("walBytesPerSecond", number(overview.history.wal_per_second()));
  json.add("slotState", slot_state(overview)).add("load", load(overview));
  json.add("lastError", text_or_null(status.last_error)).add("errors", errors(status));
  json.add("mappings", overview.mappings ? Json::texts(*overview.mappings) : null());
  json.add("mappingDetails", mapping_details(overview));
  json.add("tables", tables(overview));
  json.add("tablesOmitted", whole(overview.tables.size() - std::min(overview.tables.size(), kMostTables)));
  Json jobs = Json::array();
  std::size_t told = 0;
  for (const auto& [slice, job] : overview.jobs.all()) {
    if (job.running() || told++ < kMostJobs) jobs.add(Json::raw(to_json(job, overview.now_us)));
  }
  json.add("jobs", std::move(jobs)).add("counters", counters(status)).add("history", history(overview.history));
  return json.print() + "\n";
}

}  // namespace walrelay::sidecar
