// Which keys of a page go (sweep.h).
#include "event/crash_point.h"
#include "sidecar/sweep_answers.h"
#include "sinks/place.h"
#include "sinks/redis_inquiry.h"

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kExamples = 10;

using Members = sinks::OwnedKeys::Members;

sinks::Expectation::Type question_of(Members members) {
  using Type = sinks::Expectation::Type;
  switch (members) {
    case Members::fields:
      return Type::field;
    case Members::set:
      return Type::set_member;
    case Members::zset:
      return Type::scored_member;
    case Members::bits:
      return Type::bit;
    case Members::roaring:
      return Type::value;
    case Members::none:
      break;
  }
  return Type::none;
}

}  // namespace

sinks::Expectation Sweep::nothing_at(const Doubt& doubt) const {
  sinks::Expectation nothing;
  nothing.type = question_of(owners_[doubt.owner]->writer->owned()[doubt.write].members);
  const std::size_t between = nothing.of_member() ? doubt.place.find(sinks::kPlaceSeparator) : std::string::npos;
  nothing.key = doubt.place.substr(0, between);
  if (between != std::string::npos) nothing.member = doubt.place.substr(between + 1);
  return nothing;
}

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
  for (const Doubt* doubt : asked) inquiry.ask(nothing_at(*doubt));
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
    if (counts_.examples.size() < kExamples) counts_.examples.push_back(sinks::shown_place(doubt.place));
    if (scope_.dry_run) continue;
    owners_[doubt.owner]->writer->remove_ghost(doubt.write, doubt.place, sink_.batch());
  }
  counts_.removed += removed;
  if (removed > 0 && !scope_.dry_run) sink_.loaded(0);
  event::crash_point();
}

}  // namespace walrelay::sidecar
