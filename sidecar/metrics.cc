#include "sidecar/metrics.h"

#include <algorithm>
#include <map>

#include "sidecar/metrics_page.h"

namespace walrelay::sidecar {

namespace {

void lag(MetricsPage& page, const Status& status) {
  page.gauge("walrelay_replication_lag_seconds",
             "Age of the oldest commit that Redis does not hold yet, on the server's clock; 0 when caught up.",
             status.lag_seconds);
  page.gauge("walrelay_replication_lag_bytes", "WAL between the server's end and what Redis holds.",
             bytes(status.lag_bytes));
  const auto distance = [](replication::Lsn from, replication::Lsn to) {
    if (from == replication::Lsn::invalid || to == replication::Lsn::invalid) return 0.0;
    return static_cast<double>(std::max<std::int64_t>(0, replication::distance(from, to)));
  };
  const char* stages = "WAL between two stages: received from the server, applied to Redis, confirmed to the server.";
  page.gauge("walrelay_stage_lag_bytes", stages, distance(status.received, status.server_end), {{"stage", "receive"}});
  page.gauge("walrelay_stage_lag_bytes", stages, distance(status.applied, status.received), {{"stage", "apply"}});
  page.gauge("walrelay_stage_lag_bytes", stages, distance(status.confirmed, status.applied), {{"stage", "confirm"}});
  page.gauge("walrelay_last_applied_commit_timestamp_seconds",
             "Commit time of the newest transaction in Redis, on the server's clock.",
             status.last_applied_commit_seconds);
  page.gauge("walrelay_last_message_received_timestamp_seconds", "When the server was last heard of; 0: never.",
             status.last_message_seconds);
  page.histogram("walrelay_end_to_end_latency_seconds", "From commit in PostgreSQL to every reply of Redis, by batch.",
                 status.end_to_end);
  page.histogram("walrelay_apply_latency_seconds",
                 "From the first row of a batch received to every reply of Redis, on the monotonic clock.",
                 status.apply);
  page.histogram("walrelay_redis_batch_duration_seconds", "From EXEC to its last reply.", status.batch_duration);
  page.histogram("walrelay_redis_batch_commands", "Commands of a batch.", status.batch_commands);
}

void queries(MetricsPage& page, const Status& status) {
  for (std::size_t i = 0; i < kPurposeNames.size(); ++i) {
    page.histogram("walrelay_postgres_query_duration_seconds",
                   "From a query to the end of PostgreSQL's answer, but for the time that its rows waited for Redis.",
                   status.queries[i], {{"purpose", kPurposeNames[i]}});
  }
}

void slot(MetricsPage& page, const Status& status) {
  page.gauge("walrelay_slot_retained_wal_bytes", "WAL that the server keeps for the slot.",
             bytes(status.retained_wal_bytes));
  if (status.safe_wal_bytes >= 0) {
    page.gauge("walrelay_slot_safe_wal_bytes",
               "WAL that may still be written before the slot is lost (max_slot_wal_keep_size).",
               bytes(status.safe_wal_bytes));
  }
  page.gauge("walrelay_slot_active", "Whether somebody consumes the slot.", status.slot_active ? 1 : 0);
  for (const char* name : {"reserved", "extended", "unreserved", "lost"}) {
    page.gauge("walrelay_slot_wal_status", "Whether the server still has all WAL that the slot needs: its wal_status.",
               status.wal_status == name ? 1 : 0, {{"wal_status", name}});
  }
}

// The estimate may be wrong either way.
double part_read(const Status& status) {
  if (status.load.tables_done >= status.load.tables) return 1;
  if (status.load.estimated_rows == 0) return 0;
  return std::min(0.999, whole(status.load.rows) / whole(status.load.estimated_rows));
}

void load(MetricsPage& page, const Status& status) {
  page.gauge("walrelay_snapshot_tables", "Tables to be read in this session.",
             static_cast<double>(status.load.tables - status.load.tables_done), {{"status", "pending"}});
  page.gauge("walrelay_snapshot_tables", "Tables to be read in this session.",
             static_cast<double>(status.load.tables_done), {{"status", "done"}});
  page.counter("walrelay_snapshot_rows_total", "Rows read from tables in this session.", whole(status.load.rows));
  page.gauge("walrelay_snapshot_estimated_rows", "The server's estimate of the rows to be read.",
             whole(status.load.estimated_rows));
  page.gauge("walrelay_snapshot_progress_ratio",
             "Part of the rows to be read that was read; 1 when there is nothing to read.", part_read(status));
  page.gauge("walrelay_snapshot_last_success_timestamp_seconds",
             "When all tables, or those of a mapping, had last been read by this process; 0: never.",
             status.last_load_seconds);
}

void jobs(MetricsPage& page, const Status& status) {
  for (const char* kind : {"rebuild", "verify"}) {
    const auto count = [kind](const std::map<std::string, std::uint64_t>& counts) {
      const auto found = counts.find(kind);
      return found == counts.end() ? 0.0 : whole(found->second);
    };
    page.gauge("walrelay_jobs_running", "Rebuilds and comparisons under way.", count(status.jobs_running),
               {{"kind", kind}});
  }
  std::map<std::string, std::uint64_t> completed = status.jobs_completed;
  for (const char* kind : {"rebuild", "verify"}) completed.try_emplace(kind, 0);
  for (const auto& [kind, count] : completed) {
    page.counter("walrelay_jobs_completed_total", "Rebuilds and comparisons that came to their end.", whole(count),
                 {{"kind", kind}});
  }
  page.counter("walrelay_removed_keys_total", "Keys without a row that sweeps removed.", whole(status.removed_keys));
  page.counter("walrelay_verified_rows_total", "Rows compared with Redis.", whole(status.verified_rows));
  std::map<std::string, std::uint64_t> differences = status.differences;
  for (const char* kind : {"missing", "stale", "wrong type", "wrong ttl", "unexpected", "ghost"})
    differences.try_emplace(kind, 0);
  for (const auto& [kind, count] : differences) {
    page.counter("walrelay_verify_differences_total", "Rows and keys that a comparison found not as they should be.",
                 whole(count), {{"kind", kind}});
  }
  page.counter("walrelay_verify_mended_total", "Rows and keys that were not as they should be, and were mended.",
               whole(status.mended));
  std::uint64_t drift = 0;
  for (const auto& [mapping, count] : status.drift) drift += count;
  page.gauge("walrelay_verify_drift_keys", "Keys that the last comparison of each mapping found wrong and left so.",
             whole(drift));
  page.gauge("walrelay_verify_last_run_timestamp_seconds", "When a comparison came to its end; 0: never.",
             status.last_verified_seconds);
}

void reloads(MetricsPage& page, const Status& status) {
  for (const char* result : {"success", "failure"}) {
    const auto found = status.reloads.find(result);
    page.counter("walrelay_config_reloads_total", "Times that the configuration was read again.",
                 found == status.reloads.end() ? 0.0 : whole(found->second), {{"result", result}});
  }
  page.gauge("walrelay_config_last_reload_successful", "Whether the last reload, or the start, was successful.",
             status.last_reload_successful ? 1 : 0);
  page.gauge("walrelay_config_last_reload_success_timestamp_seconds", "When the configuration in force was read.",
             status.last_reload_seconds);
}

void state(MetricsPage& page, const Status& status) {
  page.gauge("walrelay_leader", "This process owns the slot.", status.owner ? 1 : 0);
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    page.gauge("walrelay_state", "What the process is doing: 1 for the state that it is in.",
               static_cast<std::size_t>(status.state) == i ? 1 : 0, {{"state", kStateNames[i]}});
  }
}

}  // namespace

std::string render_metrics(const Status& status, std::size_t tables_at_most) {
  MetricsPage page(status.slot);
  lag(page, status);
  queries(page, status);
  slot(page, status);
  append_changes(page, status, tables_at_most);
  append_counters(page, status);
  append_failures(page, status);
  load(page, status);
  jobs(page, status);
  reloads(page, status);
  append_servers(page, status);
  state(page, status);
  append_process(page, status);
  return page.text();
}

}  // namespace walrelay::sidecar
