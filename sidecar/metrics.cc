#include "sidecar/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <limits>

#include "sidecar/version.h"

namespace walrelay::sidecar {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

class Page {
 public:
  explicit Page(std::string slot) : slot_(std::move(slot)) {}

  void gauge(const char* name, const char* help, double value, const Labels& labels = {}) {
    sample(name, help, MetricType::Gauge, labels).gauge.value = value;
  }
  void counter(const char* name, const char* help, double value, const Labels& labels = {}) {
    sample(name, help, MetricType::Counter, labels).counter.value = value;
  }
  void histogram(const char* name, const char* help, const Histogram& from) {
    ClientMetric& metric = sample(name, help, MetricType::Histogram, {});
    metric.histogram.sample_count = from.count();
    metric.histogram.sample_sum = from.sum();
    for (std::size_t i = 0; i < from.bounds().size(); ++i) {
      metric.histogram.bucket.push_back({from.buckets()[i], from.bounds()[i]});
    }
    metric.histogram.bucket.push_back({from.count(), std::numeric_limits<double>::infinity()});
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  ClientMetric& sample(const char* name, const char* help, MetricType type, const Labels& labels) {
    if (families_.empty() || families_.back().name != name) {
      families_.push_back({name, help, type, {}});
    }
    ClientMetric metric;
    const std::string_view text = name;
    if (text.substr(0, 8) != "process_") metric.label.push_back({"slot", slot_});
    for (const auto& [key, value] : labels) metric.label.push_back({key, value});
    families_.back().metric.push_back(std::move(metric));
    return families_.back().metric.back();
  }

  std::string slot_;
  std::vector<MetricFamily> families_;
};

double whole(std::uint64_t value) { return static_cast<double>(value); }
double bytes(std::int64_t value) { return static_cast<double>(value); }

void lag(Page& page, const Status& status) {
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
  page.histogram("walrelay_end_to_end_latency_seconds", "From commit in PostgreSQL to every reply of Redis, by batch.",
                 status.end_to_end);
  page.histogram("walrelay_redis_batch_duration_seconds", "From EXEC to its last reply.", status.batch_duration);
  page.histogram("walrelay_redis_batch_commands", "Commands of a batch.", status.batch_commands);
}

void slot(Page& page, const Status& status) {
  page.gauge("walrelay_slot_retained_wal_bytes", "WAL that the server keeps for the slot.",
             bytes(status.retained_wal_bytes));
  if (status.safe_wal_bytes >= 0) {
    page.gauge("walrelay_slot_safe_wal_bytes",
               "WAL that may still be written before the slot is lost (max_slot_wal_keep_size).",
               bytes(status.safe_wal_bytes));
  }
  page.gauge("walrelay_slot_active", "Whether somebody consumes the slot.", status.slot_active ? 1 : 0);
  for (const char* name : {"reserved", "extended", "unreserved", "lost"}) {
    page.gauge("walrelay_slot_wal_status", "wal_status of the slot.", status.wal_status == name ? 1 : 0,
               {{"wal_status", name}});
  }
}

void changes(Page& page, const Status& status, std::size_t tables_at_most) {
  std::map<std::string, ChangeCounts> shown;
  for (const auto& [table, counts] : status.changes) {
    auto& to = shown[shown.size() < tables_at_most ? table : "__other__.__other__"];
    to.inserts += counts.inserts;
    to.updates += counts.updates;
    to.deletes += counts.deletes;
    to.truncates += counts.truncates;
  }
  for (const auto& [table, counts] : shown) {
    const std::size_t dot = table.find('.');
    const auto one = [&](const char* operation, std::uint64_t count) {
      page.counter("walrelay_changes_total", "Row changes received.", whole(count),
                   {{"op", operation}, {"schema", table.substr(0, dot)}, {"table", table.substr(dot + 1)}});
    };
    one("insert", counts.inserts);
    one("update", counts.updates);
    one("delete", counts.deletes);
    one("truncate", counts.truncates);
  }
}

void counters(Page& page, const Status& status) {
  page.counter("walrelay_transactions_total", "Transactions received and not skipped.",
               whole(status.pipeline.transactions));
  page.counter("walrelay_transactions_skipped_total", "Transactions that Redis held already when they came again.",
               whole(status.pipeline.skipped_transactions));
  page.counter("walrelay_received_bytes_total", "Bytes of the replication stream.", whole(status.received_bytes));
  page.counter("walrelay_redis_batches_total", "MULTI/EXEC batches whose replies were all checked.",
               whole(status.sink.batches));
  page.counter("walrelay_redis_commands_total", "Commands in them.", whole(status.sink.commands), {{"result", "ok"}});
  page.counter("walrelay_redis_commands_total", "Commands in them.", whole(status.sink.refused),
               {{"result", "refused"}});
  page.counter("walrelay_redis_rows_total", "Rows in them.", whole(status.sink.rows));
  page.counter("walrelay_redis_sent_bytes_total", "Bytes of commands.", whole(status.sink.bytes));
  page.counter("walrelay_coalesced_total", "Writes that a later write of the same batch made superfluous.",
               whole(status.sink.coalesced));
  for (const auto& [code, count] : status.redis_errors) {
    page.counter("walrelay_redis_errors_total", "Errors of Redis, by their first word.", whole(count),
                 {{"reason", code}});
  }
  for (const auto& [reason, count] : status.session_failures) {
    page.counter("walrelay_session_failures_total", "Sessions that ended by a failure.", whole(count),
                 {{"reason", reason}});
  }
  for (const auto& [name, count] : status.gaps) {
    page.counter("walrelay_gaps_total", "Times that Redis and the slot did not fit together, by cause.", whole(count),
                 {{"gap", name}});
  }
  page.counter("walrelay_sessions_total", "Sessions that reached the stream.", whole(status.sessions));
  page.counter("walrelay_dead_letters_total", "Rows noted in the dead-letter stream.", whole(status.sink.letters));
  page.counter("walrelay_skipped_rows_total", "Rows left out because they cannot be written (on_poison: skip).",
               whole(status.pipeline.skipped_rows + status.sink.skipped));
  const char* asked = "Removals from a cache that changes have asked for.";
  page.counter("walrelay_invalidations_total", asked, whole(status.sink.invalidated_by_key), {{"kind", "key"}});
  page.counter("walrelay_invalidations_total", asked, whole(status.sink.invalidated_by_pattern), {{"kind", "pattern"}});
  page.counter("walrelay_invalidation_scans_total", "Passes over all keys to find those that match a pattern.",
               whole(status.sink.invalidation_scans));
  page.counter("walrelay_invalidated_keys_total", "Keys that such passes and second removals have removed.",
               whole(status.sink.invalidated_keys));
  const char* messages = "Messages for walrelay in the server's log (pg_logical_emit_message).";
  const auto refused = status.pipeline.refused_messages;
  page.counter("walrelay_messages_total", messages, whole(status.pipeline.messages - refused), {{"result", "ok"}});
  page.counter("walrelay_messages_total", messages, whole(refused), {{"result", "refused"}});
  page.counter("walrelay_rereads_total", "Rows read again for a TOASTed column that an UPDATE left out.",
               whole(status.pipeline.rereads));
  page.counter("walrelay_documents_read_total", "Documents that were read by their query.",
               whole(status.documents.read));
  page.counter("walrelay_document_lookups_total", "Changed rows whose documents were looked up.",
               whole(status.documents.lookups));
  page.counter("walrelay_document_overflows_total", "How often too many were dirty, and all were read again.",
               whole(status.documents.overflows));
  page.gauge("walrelay_documents_dirty", "Documents that wait to be read, or to stand in Redis, and such lookups.",
             static_cast<double>(status.dirty_documents));
  page.gauge("walrelay_rereads_pending", "Such rows that wait.", static_cast<double>(status.pending_rereads));
  page.counter("walrelay_stream_wakeups_total", "Times that the stream's socket was read.", whole(status.wakeups));
  page.gauge("walrelay_buffer_bytes", "Commands held in this process.", static_cast<double>(status.buffered_bytes));
}

void load(Page& page, const Status& status) {
  page.gauge("walrelay_snapshot_tables", "Tables to be read in this session.",
             static_cast<double>(status.load.tables - status.load.tables_done), {{"status", "pending"}});
  page.gauge("walrelay_snapshot_tables", "Tables to be read in this session.",
             static_cast<double>(status.load.tables_done), {{"status", "done"}});
  page.counter("walrelay_snapshot_rows_total", "Rows read from tables in this session.", whole(status.load.rows));
  page.gauge("walrelay_snapshot_estimated_rows", "The server's estimate of the rows to be read.",
             whole(status.load.estimated_rows));
}

void jobs(Page& page, const Status& status) {
  for (const char* kind : {"rebuild", "verify"}) {
    const auto count = [kind](const std::map<std::string, std::uint64_t>& counts) {
      const auto found = counts.find(kind);
      return found == counts.end() ? 0.0 : whole(found->second);
    };
    page.gauge("walrelay_jobs_running", "Rebuilds and comparisons under way.", count(status.jobs_running),
               {{"kind", kind}});
  }
  for (const auto& [kind, count] : status.jobs_completed) {
    page.counter("walrelay_jobs_completed_total", "Rebuilds and comparisons that came to their end.", whole(count),
                 {{"kind", kind}});
  }
  page.counter("walrelay_removed_keys_total", "Keys without a row that sweeps removed.", whole(status.removed_keys));
  page.counter("walrelay_verified_rows_total", "Rows compared with Redis.", whole(status.verified_rows));
  for (const auto& [kind, count] : status.differences) {
    page.counter("walrelay_verify_differences_total", "Rows and keys that were not as they should be.", whole(count),
                 {{"kind", kind}});
  }
  page.counter("walrelay_verify_mended_total", "Of these, mended.", whole(status.mended));
  page.gauge("walrelay_last_verify_timestamp_seconds", "When a comparison came to its end; 0: never.",
             status.last_verified_seconds);
}

void reloads(Page& page, const Status& status) {
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

void process(Page& page, const Status& status) {
  page.gauge("walrelay_postgres_connected", "Connected to PostgreSQL.", status.postgres_connected ? 1 : 0);
  page.gauge("walrelay_redis_connected", "Connected to Redis.", status.redis_connected ? 1 : 0);
  page.gauge("walrelay_leader", "This process owns the slot.", status.owner ? 1 : 0);
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    page.gauge("walrelay_state", "What the process is doing.", static_cast<std::size_t>(status.state) == i ? 1 : 0,
               {{"state", kStateNames[i]}});
  }
  page.gauge("walrelay_build_info", "1; the version is a label.", 1, {{"version", version()}});
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  page.counter("process_cpu_seconds_total", "User and system time.", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  page.gauge("process_resident_memory_bytes", "Resident memory.", bytes(resident_bytes()));
}

}  // namespace

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  if (!(statm >> total >> resident)) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

std::string render_metrics(const Status& status, std::size_t tables_at_most) {
  Page page(status.slot);
  lag(page, status);
  slot(page, status);
  changes(page, status, tables_at_most);
  counters(page, status);
  load(page, status);
  jobs(page, status);
  reloads(page, status);
  process(page, status);
  return page.text();
}

}  // namespace walrelay::sidecar
