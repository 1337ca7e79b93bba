#include "sidecar/scrub.h"

#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kLook{1000};

}  // namespace

Scrub::Scrub(event::Loop& loop, ScrubOptions options, JobBoard& board)
    : options_(options), board_(board), timer_(loop, [this] { look(); }) {}

void Scrub::start() {
  if (options_.interval.count() > 0) timer_.start(kLook, kLook);
}

void Scrub::look() {
  if (board_.next_running() != nullptr) return;
  const std::int64_t now = wall_clock_us();
  std::string due;
  std::int64_t longest_ago = now - std::chrono::microseconds(options_.interval).count();
  for (const std::string& name : mapping_names()) {
    const Job* last = board_.latest(JobKind::verify, name);
    const std::int64_t begun = last == nullptr ? 0 : last->started_us;
    if (begun > longest_ago) continue;
    due = name;
    longest_ago = begun;
  }
  if (due.empty()) return;
  Job job;
  job.kind = JobKind::verify;
  job.mapping = due;
  job.repair = options_.repair;
  job.rows_a_second = options_.rate;
  (void)board_.request(std::move(job), now);
  on_requested();
}

}  // namespace walrelay::sidecar
