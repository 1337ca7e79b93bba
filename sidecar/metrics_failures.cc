// Counters of what went wrong (metrics.h). What alerts are made of stands there from the beginning, at 0: a rate knows
// nothing of a series' first sample.
#include <map>

#include "sidecar/metrics_page.h"
#include "sidecar/start_up.h"

namespace walrelay::sidecar {

namespace {

using Counts = std::map<std::string, std::uint64_t>;

void append_each(MetricsPage& page, const char* name, const char* help, const char* label, Counts counts,
                 std::initializer_list<const char*> always) {
  for (const char* value : always) counts.try_emplace(value, 0);
  for (const auto& [value, count] : counts) page.counter(name, help, whole(count), {{label, value}});
}

double again(std::uint64_t connects) { return connects == 0 ? 0 : whole(connects - 1); }

}  // namespace

void append_failures(MetricsPage& page, const Status& status) {
  append_each(
      page, "walrelay_redis_errors_total", "Errors of Redis and of the way there, by their first word.", "reason",
      status.redis_errors,
      {"CONNECT", "LOST", "TIMEOUT", "TLS", "FENCED", "OOM", "READONLY", "LOADING", "MISCONF", "NOAUTH", "WRONGTYPE"});
  append_each(page, "walrelay_session_failures_total", "Sessions that ended by a failure.", "reason",
              status.session_failures, {"connection lost"});
  Counts gaps = status.gaps;
  for (const Gap gap : {Gap::redis_empty, Gap::redis_behind, Gap::slot_new, Gap::slot_lost, Gap::other_system,
                        Gap::other_timeline, Gap::server_behind}) {
    gaps.try_emplace(name_of(gap), 0);
  }
  append_each(page, "walrelay_gaps_total", "Times that Redis and the slot did not fit together, by cause.", "gap", gaps,
              {});
  const char* reconnects = "Times that a connection was opened again.";
  page.counter("walrelay_reconnects_total", reconnects, again(status.postgres_connects), {{"target", "postgres"}});
  page.counter("walrelay_reconnects_total", reconnects, again(status.redis_connects), {{"target", "redis"}});
  const char* letters = "Rows noted in the dead-letter stream: no command could be made of them, or Redis refused it.";
  page.counter("walrelay_dead_letters_total", letters, whole(status.sink.refused_rows), {{"reason", "row"}});
  page.counter("walrelay_dead_letters_total", letters, whole(status.sink.refused_notes), {{"reason", "redis"}});
  page.counter("walrelay_skipped_rows_total",
               "Rows, and commands that Redis refused, that were left out without a note (on_poison: skip).",
               whole(status.pipeline.skipped_rows + status.sink.skipped));
  page.counter("walrelay_snapshot_failures_total", "Parts of tables that could not be read, and are tried again.",
               whole(status.load_failures));
  append_each(page, "walrelay_jobs_failed_total", "Rebuilds and comparisons that failed.", "kind", status.jobs_failed,
              {"rebuild", "verify"});
}

}  // namespace walrelay::sidecar
