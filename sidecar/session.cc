#include "sidecar/session.h"

#include <algorithm>
#include <cstdio>

#include "event/crash_point.h"
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sidecar/wall_clock.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {

using Clock = Progress::Clock;
using replication::Lsn;
using replication::Position;
using replication::to_string;

namespace {

constexpr std::chrono::seconds kProgressEvery{10};
constexpr event::milliseconds kDrainAtMost{3000};
constexpr event::milliseconds kFarewell{500};

}  // namespace

Session::Session(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings, Status& status,
                 JobBoard& jobs, SessionChoices choices)
    : loop_(loop),
      config_(config),
      mappings_(mappings),
      status_(status),
      jobs_(jobs),
      choices_(choices),
      over_(loop),
      redis_(loop, redis_options(config.target)),
      watcher_(loop, connection_options(false, "watch")),
      replicator_(loop, connection_options(true, "stream")),
      relations_(mappings, types_),
      progress_(config.ack.hold),
      ticker_(loop, [this] { tick(); }),
      base_(status) {}

Session::~Session() {
  refresh();
  if (status_.owner) status_.slot_active = false;
  status_.postgres_connected = status_.redis_connected = status_.owner = false;
}

replication::ConnectionOptions Session::connection_options(bool replication, const char* role) const {
  replication::ConnectionOptions options = postgres_options(config_.source, replication, role);
  options.on_answered = [&status = status_](replication::Purpose purpose, std::chrono::nanoseconds took) {
    status.queries[static_cast<std::size_t>(purpose)].observe(std::chrono::duration<double>(took).count());
  };
  return options;
}

event::Task<> Session::run() {
  auto connecting = connect();
  co_await std::move(connecting);
  auto taking = take_slot();
  co_await std::move(taking);
  auto deciding = take_redis();
  co_await std::move(deciding);
  co_await over_;
  if (stopping_) {
    auto draining = drain();
    co_await std::move(draining);
    co_return;
  }
  std::rethrow_exception(error_);
}

void Session::stop() {
  stopping_ = true;
  over_.set();
}

void Session::fail(std::exception_ptr error) {
  if (error_ != nullptr) return;
  error_ = std::move(error);
  over_.set();
}

void Session::on_applied(const Position& position, std::int64_t commit_time_us) {
  event::crash_point();
  applied_ = std::max(applied_, position);
  settle_documents();
  reader_->pump();  // rows wait to be compared until Redis shows their position
  const std::uint64_t commands = sink_->counters().commands;
  status_.batch_commands.observe(static_cast<double>(commands - commands_before_));
  commands_before_ = commands;
  if (sink_->counters().last_apply_seconds >= 0) status_.apply.observe(sink_->counters().last_apply_seconds);
  status_.batch_duration.observe(sink_->counters().last_batch_seconds);
  if (commit_time_us == 0) return;
  status_.end_to_end.observe(std::max(0.0, static_cast<double>(clock_.now_us() - commit_time_us) / 1e6));
  status_.last_applied_commit_seconds = static_cast<double>(commit_time_us) / 1e6;
  oldest_unapplied_us_ = commit_time_us;
}

void Session::on_recorded(const Position& position) {
  progress_.on_recorded(position.committed, Clock::now());
  see_whether_loaded();
  if (loader_) loader_->on_recorded(position.committed);
}

// The stream comes first: rows that are read from tables take what room it leaves.
void Session::on_writable() {
  if (!pipeline_) return;
  if (!pipeline_->blocked() && !sink_->full() && (!stopping_ || pipeline_->in_transaction())) stream_->resume();
  reader_->pump();
  if (runner_) runner_->on_writable();
}

void Session::on_failed(std::exception_ptr error) { fail(std::move(error)); }

// Ready means that the last row read is in Redis: whatever was filling, complete or in flight then has been applied.
void Session::see_whether_loaded() {
  constexpr std::uint64_t kBatchesUnderWay = 3;
  if (!all_read_ || status_.state != State::loading || !documents_->settled_up_to(marks_when_read_)) return;
  if (!sink_->drained() && sink_->counters().batches < batches_when_read_ + kBatchesUnderWay) return;
  status_.state = State::streaming;
  status_.last_load_seconds = static_cast<double>(wall_clock_us()) / 1e6;
  log::info("every table is read; streaming", {{"rows", loader_->progress().rows}});
}

void Session::tick() {
  const auto now = Clock::now();
  const Lsn confirmable = progress_.confirmable(now);
  if (confirmable > stream_->confirmed() && confirmable <= stream_->received()) {
    event::crash_point();
    stream_->confirm(confirmable);
    event::crash_point();
  }
  refresh();
  settle_documents();
  see_whether_loaded();
  see_whether_retired();
  purge_gone_tables();
  if (status_.state != State::loading) return;
  const auto& load = loader_->progress();
  const double part = load.estimated_rows == 0
                          ? 0
                          : std::min(1.0, static_cast<double>(load.rows) / static_cast<double>(load.estimated_rows));
  char line[200];
  std::snprintf(line, sizeof line, "loading %zu/%zu tables  %llu rows  %.0f MiB  %3.0f %%  %s", load.tables_done,
                load.tables, static_cast<unsigned long long>(load.rows), static_cast<double>(load.bytes) / 1048576.0,
                part * 100, loader_->current_table().c_str());
  log::progress(line);
  if (now - last_progress_line_ >= kProgressEvery) {
    if (last_progress_line_ != Clock::time_point{} && !log::shows_progress()) {
      log::info("loading", {{"tables_done", load.tables_done},
                            {"tables", load.tables},
                            {"rows", load.rows},
                            {"estimated_rows", load.estimated_rows},
                            {"bytes", load.bytes}});
    }
    last_progress_line_ = now;
  }
}

// Everything committed is sent, checked and recorded; then PostgreSQL hears it, and both links are closed in order.
event::Task<> Session::drain() {
  status_.state = State::stopping;
  const auto deadline = Clock::now() + kDrainAtMost;
  scrub_.reset();
  runner_.reset();
  document_reader_.reset();
  loader_.reset();
  pipeline_->on_processed = nullptr;
  pipeline_->on_reread = nullptr;
  pipeline_->halt();
  while (error_ == nullptr && Clock::now() < deadline &&
         (pipeline_->in_transaction() || progress_.recorded() < pipeline_->last_commit())) {
    sink_->flush();
    auto pause = event::sleep(loop_, event::milliseconds(5));
    co_await std::move(pause);
  }
  const bool complete = progress_.recorded() >= pipeline_->last_commit();
  log::info(complete ? "everything committed is in Redis"
                     : "stopping with changes that Redis has not recorded; they come again",
            {{"recorded", to_string(progress_.recorded())}, {"last_commit", to_string(pipeline_->last_commit())}});
  if (error_ == nullptr) {
    auto farewell = stream_->finish(kFarewell);
    co_await std::move(farewell);
  }
}

bool Session::caught_up() const {
  return !pipeline_->in_transaction() && applied_.committed >= pipeline_->last_commit();
}

// Of the server's log: what holds nothing of ours counts as applied once everything before it is.
Lsn Session::applied() const {
  return caught_up() ? std::max(pipeline_->processed(), applied_.committed) : applied_.committed;
}

void Session::refresh_times() {
  const std::chrono::duration<double> paused = stream_->paused_for();
  status_.backpressure_seconds = base_.backpressure_seconds + paused.count();
  const auto heard = stream_->counters().heard;
  if (heard == Clock::time_point{}) return;
  const std::chrono::duration<double> ago = Clock::now() - heard;
  status_.last_message_seconds = static_cast<double>(wall_clock_us()) / 1e6 - ago.count();
}

void Session::refresh() {
  status_.redis_connected = redis_.is_open();
  status_.postgres_connected = watcher_.is_open() && (replicator_.is_open() || !streaming_);
  if (!pipeline_ || !stream_ || !sink_) return;
  status_.received = stream_->received();
  status_.confirmed = stream_->confirmed();
  status_.recorded = progress_.recorded();
  status_.server_end = std::max(status_.server_end, status_.received);
  status_.applied = applied();
  status_.lag_bytes = std::max<std::int64_t>(0, replication::distance(status_.applied, status_.server_end));
  if (status_.applied == Lsn::invalid) status_.lag_bytes = 0;
  const std::int64_t now = clock_.now_us();
  if (caught_up() && status_.applied >= status_.server_end) {
    oldest_unapplied_us_ = 0;
  } else if (oldest_unapplied_us_ == 0) {
    oldest_unapplied_us_ =
        pipeline_->transaction().commit_time_us != 0 && !caught_up() ? pipeline_->transaction().commit_time_us : now;
  }
  status_.lag_seconds =
      oldest_unapplied_us_ == 0 ? 0 : std::max(0.0, static_cast<double>(now - oldest_unapplied_us_) / 1e6);
  status_.pipeline = add(base_.pipeline, pipeline_->counters());
  status_.sink = add(base_.sink, sink_->counters());
  if (loader_) {
    status_.load = loader_->progress();
    status_.loading_table = loader_->current_table();
  }
  status_.jobs_running.clear();
  for (const auto& [slice, job] : jobs_.all()) status_.jobs_running[name_of(job.kind)] += job.running() ? 1 : 0;
  status_.received_bytes = base_.received_bytes + stream_->counters().bytes;
  status_.wakeups = base_.wakeups + stream_->counters().wakeups;
  refresh_times();
  status_.buffered_bytes = sink_->buffered();
  status_.pending_rereads = rereads_.size();
  status_.dirty_documents = documents_->size();
  status_.documents = add(base_.documents, documents_->counters());
  status_.changes = base_.changes;
  for (const auto& [oid, table] : relations_.all()) {
    if (table->relation == nullptr) continue;
    auto& counts = status_.changes[table->relation->qualified()];
    counts.inserts += table->counts.inserts;
    counts.updates += table->counts.updates;
    counts.deletes += table->counts.deletes;
    counts.truncates += table->counts.truncates;
  }
}

}  // namespace walrelay::sidecar
