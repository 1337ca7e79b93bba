// What a session tells those who ask it: which mappings there are, what its jobs found, and whether Redis holds what
// they have written.
#include <algorithm>
#include <set>

#include "replication/chunk_position.h"
#include "sidecar/log.h"
#include "sidecar/readable.h"
#include "sidecar/session.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

using replication::Lsn;

namespace {

constexpr std::chrono::milliseconds kNudge{20};
constexpr int kNudgesBeforeFlush = 5;

}  // namespace

void Session::on_job_completed(const Job& job) {
  ++status_.jobs_completed[name_of(job.kind)];
  if (job.kind == JobKind::rebuild) {
    if (job.dry_run) return;
    status_.removed_keys += job.removed;
    status_.last_load_seconds = static_cast<double>(wall_clock_us()) / 1e6;
    return;
  }
  status_.verified_rows += job.processed;
  status_.mended += job.repaired;
  status_.drift[job.mapping] = job.differing() - std::min(job.differing(), job.repaired);
  for (const auto& [kind, count] : job.found) status_.differences[kind] += count;
  status_.last_verified_seconds = static_cast<double>(wall_clock_us()) / 1e6;
  if (job.differing() > 0 && job.repaired < job.differing()) {
    status_.failures.note("differences",
                          "mapping \"" + job.mapping + "\" differs from its tables in " +
                              readable_count(job.differing()) + " places; GET .../verify/status names the first",
                          wall_clock_us());
  }
  for (const JobDifference& each : job.differences) {
    log::warn("a row and Redis differ", {{"mapping", job.mapping}, {"difference", each.kind}, {"key", each.key}});
  }
}

void Session::wake_jobs() {
  if (runner_) runner_->wake();
}

void Session::replay(const std::string& letter, LetterReplay::Done done) {
  if (!streaming_ || !letters_) return done({ReplayResult::What::impossible, "the stream does not run yet: try again"});
  letters_->replay(letter, std::move(done));
}

std::optional<std::vector<std::string>> Session::mapping_names() const {
  if (!runner_) return std::nullopt;
  std::set<std::string> names;
  for (const auto& [oid, table] : relations_.all()) {
    if (table->writer == nullptr) continue;
    names.insert(table->writer->mappings().begin(), table->writer->mappings().end());
  }
  return std::vector<std::string>(names.begin(), names.end());
}

std::optional<std::uint64_t> Session::ask_end() {
  return catalogue_ ? std::optional(catalogue_->ask_end()) : std::nullopt;
}

std::optional<Lsn> Session::end_since(std::uint64_t question) const {
  return catalogue_ ? catalogue_->end_since(question) : std::nullopt;
}

std::vector<TableReport> Session::tables() const {
  std::map<std::string, TableReport> by_name;
  for (const auto& [oid, table] : relations_.all()) {
    if (table->relation == nullptr || table->writer == nullptr) continue;
    const std::string name = table->relation->qualified();
    TableReport& report = by_name[name];
    report.name = name;
    report.mappings = table->writer->mappings();
    report.loading = report.loading || table->loading;
    const auto counted = status_.changes.find(name);
    if (counted != status_.changes.end()) report.changes = counted->second;
  }
  std::vector<TableReport> reports;
  for (auto& [name, report] : by_name) reports.push_back(std::move(report));
  return reports;
}

// An idle server's stream gets to a position only when it is asked where it is, and only when its log has been flushed
// up to there.
bool Session::holds(Lsn position) {
  if (!runner_ || !rereads_.empty()) return false;
  // The last of the rows that were read again may still be on its way.
  if (const std::uint64_t noted = pipeline_->counters().rereads; noted != noted_when_waited_) {
    noted_when_waited_ = noted;
    reread_ticket_ = sink_->ticket();
  }
  if (!sink_->has_shown(reread_ticket_)) return false;
  if (status_.state != State::streaming) return false;  // rows of before any position may not have been read yet
  if (applied() >= replication::before_page_header(position, wal_block_size_, wal_segment_size_)) return true;
  const auto now = Progress::Clock::now();
  if (now - last_nudge_ < kNudge) return false;
  last_nudge_ = now;
  stream_->request_keepalive();
  if (++nudges_ % kNudgesBeforeFlush == 0) catalogue_->flush_wal();
  return false;
}

}  // namespace walrelay::sidecar
