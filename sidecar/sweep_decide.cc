// Which keys of a page go (sweep.h).
#include "event/crash_point.h"
#include "sidecar/sweep_answers.h"
#include "sinks/redis_inquiry.h"

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kExamples = 10;

}  // namespace

void Sweep::take_in_newer() {
  for (const auto& answers : answers_) answers->take_in_newer();
}

// A row may have been deleted before it was asked for, and its key's removal not have reached Redis when SCAN saw it.
event::Task<> Sweep::confirm(Page& page) {
  constexpr event::milliseconds kPause{2};
  take_in_newer();
  std::vector<Doubt*> asked;
  for (Doubt& doubt : page) {
    if (doubt.suspect()) asked.push_back(&doubt);
  }
  if (asked.empty()) co_return;
  replication::Lsn position = replication::Lsn::invalid;
  for (const auto& answers : answers_) position = std::max(position, answers->opened().position);
  while (!stopped_ && applied_() < position) {
    auto pause = event::sleep(loop_, kPause);
    co_await std::move(pause);
  }
  std::size_t next = 0;
  event::Event answered(loop_);
  sinks::RedisInquiry inquiry(redis_, false);
  inquiry.on_answer = [&](const sinks::Difference& difference) {
    asked[next++]->gone = difference.kind == sinks::Difference::Kind::equal;
    if (next == asked.size()) answered.set();
  };
  for (const Doubt* doubt : asked) {
    sinks::Expectation nothing;
    nothing.key = doubt->key;
    inquiry.ask(nothing);
  }
  inquiry.on_lost = [&answered] { answered.set(); };
  inquiry.flush();
  co_await answered;
  inquiry.rethrow_if_lost();
}

void Sweep::decide(Page& page) {
  event::crash_point();
  take_in_newer();
  std::size_t removed = 0;
  for (const Doubt& doubt : page) {
    counts_.undecided += doubt.undecided && !doubt.supported ? 1 : 0;
    if (!doubt.suspect()) continue;
    ++removed;
    if (counts_.examples.size() < kExamples) counts_.examples.push_back(doubt.key);
    if (scope_.dry_run) continue;
    sinks::Batch& batch = sink_.batch();
    batch.open(doubt.write, doubt.key, sinks::Effect::ordered);
    batch.command(2);
    batch.argument("UNLINK");
    batch.argument(doubt.key);
    batch.close();
  }
  counts_.removed += removed;
  if (removed > 0 && !scope_.dry_run) sink_.loaded(0);
  event::crash_point();
}

}  // namespace walrelay::sidecar
