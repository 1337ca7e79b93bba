#include "sidecar/job_runner.h"

#include <algorithm>
#include <chrono>

#include "sidecar/log.h"
#include "sidecar/wall_clock.h"
#include "sinks/bookkeeping.h"

namespace walrelay::sidecar {

using replication::Connection;

namespace {

constexpr event::milliseconds kTick{250};
constexpr std::int64_t kRecordEveryUs = 1000000;

}  // namespace

JobRunner::JobRunner(event::Loop& loop, JobRunnerOptions options, JobBoard& board, JobTools tools)
    : loop_(loop),
      options_(std::move(options)),
      board_(board),
      relations_(tools.relations),
      catalogue_(tools.catalogue),
      pipeline_(tools.pipeline),
      rereads_(tools.rereads),
      loader_(tools.loader),
      reader_(tools.reader),
      documents_(tools.documents),
      sink_(tools.sink),
      work_(loop),
      ticker_(loop, [this] { tick(); }),
      record_timer_(loop, [this] { look_at_records(); }),
      backoff_(1) {}

JobRunner::~JobRunner() { job_.reset(); }

// A job that was asked for while the last session ended may not stand in Redis.
void JobRunner::start() {
  for (const auto& [slice, job] : board_.all()) {
    if (job.running()) board_.touch(slice);
  }
  job_ = std::make_unique<event::Job>(loop_, work(), [this](const std::exception_ptr& error) {
    if (error != nullptr && on_failed) on_failed(error);
  });
}

Job* JobRunner::running(const std::string& slice) {
  Job* job = board_.find(slice);
  return job != nullptr && job->running() && job->number == number_ ? job : nullptr;
}

// Who has cancelled a job is told so at once: it removes nothing more.
void JobRunner::wake() {
  if (sweep_ != nullptr && running(current_) == nullptr) sweep_->stop();
  if (verify_ != nullptr && running(current_) == nullptr) verify_->stop();
  work_.set();
}

void JobRunner::enter(Job& job, JobPhase phase) {
  job.phase = phase;
  board_.touch(job.slice());
  record();
}

void JobRunner::record() {
  for (const std::string& slice : board_.take_changed()) {
    const Job* job = board_.find(slice);
    const std::string text = job == nullptr ? "" : to_json(*job, wall_clock_us());
    std::vector<std::string_view> words{job == nullptr ? "HDEL" : "HSET", options_.jobs_key, slice};
    if (job != nullptr) words.emplace_back(text);
    sinks::append(sinks::Bookkeeping::jobs, words, sink_.batch());
    sink_.loaded(0);
    if (job != nullptr && !job->recorded) unrecorded_[slice] = sink_.ticket();
  }
  constexpr event::milliseconds kLook{5};
  if (!unrecorded_.empty()) record_timer_.start(kLook, kLook);
}

void JobRunner::look_at_records() {
  std::erase_if(unrecorded_, [this](const auto& each) {
    if (!sink_.has_shown(each.second)) return false;
    if (Job* job = board_.find(each.first)) job->recorded = true;
    return true;
  });
  if (unrecorded_.empty()) record_timer_.stop();
}

void JobRunner::tick() {
  Job* job = running(current_);
  if (job != nullptr) {
    if (reading_ != 0) job->processed = before_ + loader_.rows_read(reading_);
    if (sweep_ != nullptr) job->removed = sweep_->counts().removed;
    static constexpr auto kTicks = kRecordEveryUs / (kTick.count() * 1000);
    if (++ticks_ % kTicks == 0) board_.touch(current_);
    if (verify_ != nullptr) job->processed = before_ + verify_->rows();
  } else {
    if (sweep_ != nullptr) sweep_->stop();
    if (verify_ != nullptr) verify_->stop();
  }
  record();
  work_.set();
}

void JobRunner::on_table_loaded(const std::string& table, std::uint64_t rows) {
  const auto* info = relations_.described(reading_);
  if (info != nullptr && info->qualified() == table) {
    before_ += rows;
    reading_ = 0;
  }
  work_.set();
}

bool JobRunner::on_refused(replication::Oid table, const std::string& sentence) {
  const auto* info = relations_.described(table);
  if (table == 0 || table != reading_ || !ours_ || info == nullptr) return false;
  refused_ = sentence;
  loader_.give_up(*info);
  work_.set();
  return true;
}

void JobRunner::on_writable() {
  if (sweep_ != nullptr) sweep_->on_writable();
}

event::Task<> JobRunner::work() {
  for (;;) {
    record();
    const Job* job = board_.next_running();
    if (job == nullptr) {
      ticker_.stop();
      work_.reset();
      co_await work_;
      continue;
    }
    current_ = job->slice();
    number_ = job->number;
    ticker_.start(kTick, kTick);
    auto trying = attempt(current_);
    co_await std::move(trying);
  }
}

event::Task<> JobRunner::attempt(std::string slice) {
  Verdict verdict;
  bool failed = false;
  try {
    auto carrying_out = carry_out(slice);
    co_await std::move(carrying_out);
  } catch (const std::exception& error) {
    verdict = judge(error);
    failed = true;
  }
  if (failed && verdict.action == Verdict::Action::stop && running(slice) != nullptr) {
    Job* job = running(slice);
    job->bad_request = verdict.code == ExitCode::usage || verdict.reason.substr(0, 2) == "22";
    log::error("the job \"" + slice + "\" failed: " + verdict.sentence);
    board_.finish(slice, JobStatus::failed, verdict.sentence, wall_clock_us());
  }
  const bool over = running(slice) == nullptr;
  if (over && postgres_ != nullptr && postgres_->is_open()) {
    auto noting = note_in_table(slice);
    co_await std::move(noting);
  }
  sweep_.reset();
  verify_.reset();
  loader_.note_keys(nullptr);
  seen_ = SeenKeys();
  postgres_.reset();
  redis_.reset();
  reading_ = 0;
  if (over) {
    backoff_.reset();
    co_return;
  }
  log::warn("the job \"" + slice + "\" waits: " + verdict.sentence);
  running(slice)->error = verdict.sentence;
  auto pause = event::sleep(loop_, backoff_.next());
  co_await std::move(pause);
}

event::Task<> JobRunner::carry_out(std::string slice) {
  postgres_ = std::make_unique<Connection>(loop_, options_.postgres);
  auto opening = postgres_->open();
  co_await std::move(opening);
  Job* job = running(slice);
  if (job == nullptr) co_return;
  job->error.clear();
  const Tables tables = tables_of(*job);
  if (tables.empty()) {
    throw StopError(ExitCode::usage, "mapping \"" + job->mapping + "\" has no table" +
                                         (job->table.empty() ? "" : " \"" + job->table + "\"") +
                                         " in this database that the publication carries");
  }
  log::info(job->kind == JobKind::rebuild ? "rebuilding in place" : "verifying",
            {{"mapping", job->mapping}, {"slice", slice}, {"dry_run", job->dry_run ? "true" : "false"}});
  auto noting = note_in_table(slice);
  co_await std::move(noting);
  auto doing = job->kind == JobKind::rebuild ? rebuild(slice, tables) : verify(slice, tables);
  co_await std::move(doing);
  job = running(slice);
  if (job == nullptr) co_return;
  const std::string note = job->error;
  if (on_completed) on_completed(*job);
  board_.finish(slice, JobStatus::completed, note, wall_clock_us());
  log::info(
      job->kind == JobKind::rebuild ? "rebuilt" : "verified",
      {{"slice", slice}, {"rows", job->processed}, {"removed_keys", job->removed}, {"differing", job->differing()}});
}

}  // namespace walrelay::sidecar
