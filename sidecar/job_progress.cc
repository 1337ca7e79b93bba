#include "sidecar/job_progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sidecar/log.h"
#include "sidecar/readable.h"
#include "sidecar/terminal.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

namespace {

constexpr std::chrono::seconds kLineEvery{10};
constexpr double kMillion = 1e6;

double rate_of(const Job& job, std::int64_t now_us) {
  const double seconds = static_cast<double>(now_us - job.started_us) / kMillion;
  return job.started_us == 0 || seconds <= 0 ? 0 : static_cast<double>(job.processed) / seconds;
}

// The total is an estimate until the job is over, so there may be more rows than that, and then nothing is known.
std::optional<double> part_of(const Job& job) {
  if (job.total == 0 || job.processed > job.total) return std::nullopt;
  return static_cast<double>(job.processed) / static_cast<double>(job.total);
}

std::optional<double> seconds_left(const Job& job, std::int64_t now_us) {
  const double rate = rate_of(job, now_us);
  if (rate <= 0 || job.phase != JobPhase::reading || job.total <= job.processed) return std::nullopt;
  return static_cast<double>(job.total - job.processed) / rate;
}

std::string bar(std::optional<double> part, std::size_t width) {
  if (!part || width == 0) return "";
  const auto done = static_cast<std::size_t>(std::floor(*part * static_cast<double>(width)));
  std::string text = "[" + std::string(std::min(done, width), '=');
  if (done < width) text += ">" + std::string(width - done - 1, ' ');
  char percent[16];
  std::snprintf(percent, sizeof percent, "]  %3.0f %%  ", std::floor(*part * 100));
  return text + percent;
}

std::string numbers(const Job& job, std::int64_t now_us) {
  std::string text = readable_count(job.processed);
  if (part_of(job)) text += " of " + readable_count(job.total);
  text += " rows  " + readable_rate(rate_of(job, now_us)) + " rows/s";
  if (const auto left = seconds_left(job, now_us)) text += "  " + readable_duration(*left) + " left";
  if (job.removed > 0) text += "  " + readable_count(job.removed) + " keys removed";
  if (job.differing() > 0) text += "  " + readable_count(job.differing()) + " differences";
  return text;
}

}  // namespace

std::string progress_bar(const Job& job, std::int64_t now_us, std::size_t columns) {
  constexpr std::size_t kFrame = sizeof "[]  100 %  ", kLeast = 8, kMost = 40;
  const std::string begin = std::string(name_of(job.kind)) + " " + job.mapping + "  " + name_of(job.phase) + "  ";
  const std::string end = numbers(job, now_us);
  const std::size_t taken = begin.size() + end.size() + kFrame;
  const std::size_t room = columns > taken ? std::min(columns - taken, kMost) : 0;
  return fitted(begin + bar(part_of(job), room < kLeast ? 0 : room) + end, columns);
}

void JobProgress::show(const Job& job) {
  const std::int64_t now_us = wall_clock_us();
  if (log::shows_progress()) {
    log::progress(progress_bar(job, now_us, terminal_size(STDERR_FILENO).columns - 1));
    return;
  }
  const auto now = Clock::now();
  const auto known = said_.emplace(job.slice(), now);  // the first line is due after the first ten seconds
  if (known.second || now - known.first->second < kLineEvery) return;
  known.first->second = now;
  log::info(name_of(job.kind), {{"mapping", job.mapping},
                                {"phase", name_of(job.phase)},
                                {"rows", job.processed},
                                {"estimated_rows", job.total},
                                {"rows_per_second", std::llround(rate_of(job, now_us))},
                                {"seconds_left", std::llround(seconds_left(job, now_us).value_or(-1))},
                                {"removed_keys", job.removed},
                                {"differences", job.differing()}});
}

void JobProgress::clear() { log::progress(""); }

}  // namespace walrelay::sidecar
