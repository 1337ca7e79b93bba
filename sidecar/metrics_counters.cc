// Counters of what has been done (metrics.h).
#include <map>

#include "sidecar/metrics_page.h"

namespace walrelay::sidecar {

namespace {

// What changes ask for beside the writes of their own rows.
void append_side_work(MetricsPage& page, const Status& status) {
  const char* asked =
      "Removals from a cache that changes have asked for, by mapping; without a mapping: by pg_logical_emit_message().";
  auto invalidated = status.sink.invalidated;
  (void)invalidated[""];  // there from the beginning, whoever will ask
  for (const auto& [mapping, count] : invalidated) {
    page.counter("walrelay_invalidations_total", asked, whole(count.keys), {{"kind", "key"}, {"mapping", mapping}});
    page.counter("walrelay_invalidations_total", asked, whole(count.patterns),
                 {{"kind", "pattern"}, {"mapping", mapping}});
  }
  page.counter("walrelay_invalidation_scans_total", "Passes over all keys to find those that match a pattern.",
               whole(status.sink.invalidation_scans));
  page.counter("walrelay_invalidated_keys_total", "Keys that passes over all keys, and second removals, have removed.",
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
  page.counter("walrelay_document_overflows_total",
               "Times that too many documents were dirty, and all were read again.", whole(status.documents.overflows));
  page.gauge("walrelay_documents_dirty",
             "Documents that wait to be read, or to stand in Redis, and lookups that are to find such.",
             static_cast<double>(status.dirty_documents));
  page.gauge("walrelay_rereads_pending", "Rows that are to be read again for a TOASTed column.",
             static_cast<double>(status.pending_rereads));
}

}  // namespace

void append_changes(MetricsPage& page, const Status& status, std::size_t tables_at_most) {
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

void append_counters(MetricsPage& page, const Status& status) {
  page.counter("walrelay_changes_filtered_total",
               "Row changes that made no command: no mapping takes the table, or nothing is told of the change.",
               whole(status.pipeline.filtered));
  page.counter("walrelay_transactions_total", "Transactions received and not skipped.",
               whole(status.pipeline.transactions));
  page.counter("walrelay_transactions_skipped_total", "Transactions that Redis held already when they came again.",
               whole(status.pipeline.skipped_transactions));
  page.counter("walrelay_received_bytes_total", "Bytes of the replication stream.", whole(status.received_bytes));
  page.counter("walrelay_redis_batches_total", "MULTI/EXEC batches whose replies were all checked.",
               whole(status.sink.batches));
  page.counter("walrelay_redis_commands_total", "Commands of batches, taken or refused.", whole(status.sink.commands),
               {{"result", "ok"}});
  page.counter("walrelay_redis_commands_total", "Commands of batches, taken or refused.", whole(status.sink.refused),
               {{"result", "refused"}});
  page.counter("walrelay_redis_rows_total", "Rows of batches.", whole(status.sink.rows));
  page.counter("walrelay_redis_sent_bytes_total", "Bytes of the commands of batches.", whole(status.sink.bytes));
  page.counter("walrelay_coalesced_total", "Writes that a later write of the same batch made superfluous.",
               whole(status.sink.coalesced));
  page.counter("walrelay_sessions_total", "Sessions that reached the stream.", whole(status.sessions));
  page.counter("walrelay_stream_wakeups_total", "Times that the stream's socket was read and held something.",
               whole(status.wakeups));
  page.gauge("walrelay_buffer_bytes", "Commands held in this process.", static_cast<double>(status.buffered_bytes));
  page.gauge("walrelay_buffer_limit_bytes",
             "As soon as so many are held the stream is not read until there are fewer (flush.max_bytes).",
             static_cast<double>(status.buffer_limit));
  page.counter("walrelay_backpressure_seconds_total", "Time that the stream was not read because Redis was behind.",
               status.backpressure_seconds);
  append_side_work(page, status);
}

}  // namespace walrelay::sidecar
