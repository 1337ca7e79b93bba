#include "sidecar/job.h"

#include <algorithm>

namespace walrelay::sidecar {

namespace {

// Names and values are free texts: what could be taken for more than one word is quoted.
std::string word(const std::string& text) {
  if (!text.empty() && text.find_first_of(" =\"") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

}  // namespace

std::string Job::slice() const {
  std::string slice = kind == JobKind::rebuild ? word(mapping) : std::string(name_of(kind)) + " " + word(mapping);
  if (!table.empty()) slice += " table " + word(table);
  for (const auto& [column, value] : where) slice += " " + word(column) + "=" + word(value);
  return slice;
}

std::uint64_t Job::differing() const {
  std::uint64_t all = 0;
  for (const auto& [kind_of_difference, count] : found) all += count;
  return all;
}

const Job* JobBoard::request(Job job, std::int64_t now_us) {
  const std::string slice = job.slice();
  const auto before = jobs_.find(slice);
  if (before != jobs_.end() && before->second.running()) return &before->second;
  job.status = JobStatus::running;
  job.phase = JobPhase::waiting;
  job.started_us = now_us;
  job.number = ++last_number_;
  jobs_[slice] = std::move(job);
  touch(slice);
  return nullptr;
}

bool JobBoard::cancel(const std::string& slice, std::int64_t now_us) {
  const Job* job = find(slice);
  if (job == nullptr || !job->running()) return false;
  finish(slice, JobStatus::cancelled, "", now_us);
  return true;
}

void JobBoard::finish(const std::string& slice, JobStatus status, std::string error, std::int64_t now_us) {
  Job* job = find(slice);
  if (job == nullptr || !job->running()) return;
  job->status = status;
  job->phase = JobPhase::done;
  job->error = std::move(error);
  job->completed_us = now_us;
  if (status == JobStatus::completed) job->total = job->processed;
  touch(slice);
  if (on_finished) on_finished(*job);
  forget_oldest();
}

void JobBoard::forget_oldest() {
  const auto is_last = [this](const Job& job) { return latest(job.kind, job.mapping) == &job; };
  std::vector<const Job*> ended;
  for (const auto& [slice, job] : jobs_) {
    if (!job.running()) ended.push_back(&job);
  }
  if (ended.size() <= kRemembered) return;
  std::sort(ended.begin(), ended.end(), [](const Job* a, const Job* b) { return a->completed_us < b->completed_us; });
  std::vector<std::string> forgotten;
  for (const Job* job : ended) {
    if (ended.size() - forgotten.size() <= kRemembered) break;
    if (!is_last(*job)) forgotten.push_back(job->slice());
  }
  for (const std::string& slice : forgotten) {
    jobs_.erase(slice);
    touch(slice);
  }
}

const Job* JobBoard::latest(JobKind kind, const std::string& mapping) const {
  const Job* latest = nullptr;
  for (const auto& [slice, job] : jobs_) {
    if (job.kind != kind || job.mapping != mapping) continue;
    if (latest == nullptr || job.started_us > latest->started_us) latest = &job;
  }
  return latest;
}

void JobBoard::restore(const std::map<std::string, std::string>& records) {
  for (const auto& [slice, text] : records) {
    if (jobs_.count(slice) != 0) continue;
    auto job = job_from_json(text);
    if (!job || job->slice() != slice) continue;
    job->number = ++last_number_;
    job->recorded = true;
    jobs_[slice] = std::move(*job);
  }
  forget_oldest();
}

Job* JobBoard::find(const std::string& slice) {
  const auto found = jobs_.find(slice);
  return found == jobs_.end() ? nullptr : &found->second;
}

Job* JobBoard::next_running() {
  Job* oldest = nullptr;
  for (auto& [slice, job] : jobs_) {
    if (job.running() && (oldest == nullptr || job.started_us < oldest->started_us)) oldest = &job;
  }
  return oldest;
}

std::vector<std::string> JobBoard::take_changed() {
  std::vector<std::string> changed;
  for (const auto& [slice, unused] : changed_) changed.push_back(slice);
  changed_.clear();
  return changed;
}

}  // namespace walrelay::sidecar
