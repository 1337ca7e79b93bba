// Who tells whom: the parts of a session do not know each other (session.h).
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sidecar/session.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

using replication::Lsn;

// The parts tell each other through here, so that none of them knows another.
void Session::wire() {
  pipeline_->on_catalogue_needed = [this](replication::Oid table, std::vector<replication::Oid> types) {
    catalogue_->ask(table, std::move(types));
  };
  pipeline_->on_shape = [this](replication::Oid oid) {
    const auto* info = relations_.described(oid);
    if (info == nullptr) return;
    relations_.set_loading(oid, true);
    catalogue_->when_settled(*info, false);
  };
  pipeline_->on_processed = [this] { reader_->pump(); };
  pipeline_->on_reread = [this] { loader_->wake(); };
  pipeline_->on_resume = [this] { stream_->resume(); };
  pipeline_->on_refused_message = [](const std::string& sentence) { log::warn(sentence); };
  pipeline_->on_finished = [this](std::exception_ptr error) {
    if (error == nullptr) {
      error = std::make_exception_ptr(replication::PostgresError(
          "", true, "the server ended the replication stream in order (it is shutting down)"));
    }
    fail(error);
  };
  catalogue_->on_described = [this] {
    try {
      pipeline_->catalogue_ready();
    } catch (...) {
      fail(std::current_exception());
    }
  };
  catalogue_->on_table = [this](const replication::TableInfo& info, bool made_anew) {
    if (!loader_) return;  // we drain; the next start finds the same
    source_changed(info);
    if (is_only_source(info)) return relations_.retire_namesakes(info);
    log::info("reading table", {{"table", info.qualified()}, {"estimated_rows", info.estimated_rows}});
    if (made_anew || has_other_owner(info)) remove_rows_of_namesakes(info);
    owners_[info.qualified()] = info.oid;
    const auto cursor = cursors_.find(info.qualified());
    loader_->add(info, cursor == cursors_.end() ? "" : cursor->second);
    cursors_.erase(info.qualified());  // good for one start only
  };
  catalogue_->on_table_gone = [this](const replication::TableInfo& info, bool made_anew) {
    const char* keys = gone_tables_->knows(info) ? "its keys go" : "its keys stay in Redis";
    if (!made_anew) log::warn(std::string("a mapped table is gone; ") + keys, {{"table", info.qualified()}});
    if (loader_) loader_->forget(info);
  };
  catalogue_->on_unread = [this](const replication::TableInfo& info) {
    gone_tables_->note(info);
    mark_unread(info);
  };
  catalogue_->on_look = [this] { look_for_gone_tables(); };
  catalogue_->on_binary_lost = [this] {
    if (binary_)
      fail(std::make_exception_ptr(RestartNeeded("a table with types that need the text format was published")));
  };
  catalogue_->on_slot = [this](const replication::SlotState& slot, Lsn end) {
    status_.slot_seen_us = wall_clock_us();
    status_.wal_status = slot.wal_status;
    status_.slot_active = slot.active;
    status_.safe_wal_bytes = slot.safe_wal_bytes.value_or(-1);
    status_.retained_wal_bytes = std::max<std::int64_t>(0, replication::distance(slot.restart, end));
    status_.server_end = std::max(status_.server_end, end);
    if (end > pipeline_->processed()) stream_->request_keepalive();
  };
  catalogue_->on_connections = [this](std::uint64_t count, std::uint64_t most) {
    status_.postgres = {true, count, most};
  };
  loader_->on_table_loaded = [this](const std::string& table, std::uint64_t rows, std::uint64_t equal) {
    log::info("table read", {{"table", table}, {"rows", rows}, {"equal", equal}});
    if (runner_) runner_->on_table_loaded(table, rows);
  };
  loader_->on_refused = [this](replication::Oid table, const std::string& sentence) {
    return runner_ && runner_->on_refused(table, sentence);
  };
  runner_->on_read_again = [this](const replication::TableInfo& info) { read_again(info); };
  runner_->on_completed = [this](const Job& job) { on_job_completed(job); };
  scrub_->mapping_names = [this] { return mapping_names().value_or(std::vector<std::string>()); };
  scrub_->on_requested = [this] { runner_->wake(); };
  runner_->on_failed = [this](std::exception_ptr error) { fail(error); };
  loader_->on_all_loaded = [this] {
    if (status_.state != State::loading || all_read_ || catalogue_->settling()) return;
    sink_->set_phase("stream");
    sink_->flush();
    all_read_ = true;
    batches_when_read_ = sink_->counters().batches;
    marks_when_read_ = documents_->marked();
  };
  loader_->on_failed = [this](std::exception_ptr error) { fail(error); };
  loader_->on_trouble = [this](const std::string& sentence) {
    ++status_.load_failures;
    log::warn("reading a table: " + sentence);
    status_.failures.note("load", sentence, wall_clock_us());
  };
  reader_->on_stuck = [this] { stream_->request_keepalive(); };
  reader_->on_flush_needed = [this] { catalogue_->flush_wal(); };
}

}  // namespace walrelay::sidecar
