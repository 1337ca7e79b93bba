#include "sidecar/loader_comparison.h"

namespace walrelay::sidecar {

using replication::Row;

Loader::Comparison::Comparison(Loader& loader, const replication::Relation& rows_of, sinks::RelationWriter& writer,
                               replication::Connection& from, sinks::RedisConnection& redis)
    : Chunk(loader, rows_of, writer, from),
      writer_(writer),
      sink_(loader.sink_),
      inquiry_(redis, true),
      quiet_(loader.loop_),
      more_(loader.loop_, [this, &loader] {
        this_turn_ = 0;
        loader.reader_.pump();
      }) {
  inquiry_.on_lost = [this] {
    quiet_.set();
    more_.schedule();
  };
  inquiry_.on_answer = [this](const sinks::Difference& difference) { answer(difference); };
}

event::Task<> Loader::Comparison::finish() {
  inquiry_.flush();
  while (inquiry_.under_way() > 0 && !inquiry_.lost()) {
    quiet_.reset();
    co_await quiet_;
  }
  inquiry_.rethrow_if_lost();
}

// Readers of Redis see all that the stream had brought when it passed the position. That does not wait for the
// interval.
bool Loader::Comparison::is_shown() {
  if (is_shown_) return true;
  if (!ticket_) {
    ticket_ = sink_.ticket();
    sink_.flush();
  }
  is_shown_ = !sink_.full() && sink_.has_shown(*ticket_);
  return is_shown_;
}

// Who gives up, or will hear no answer, lets the rows pass. A batch that is held back waits for rows to be read again,
// perhaps on this very connection: nothing here may wait for it.
bool Loader::Comparison::takes() {
  gave_up_ = gave_up_ || sink_.held();
  if (gave_up_ || inquiry_.lost()) return true;
  if (!is_shown()) return false;
  const Pace now = pace();
  const bool waits = inquiry_.under_way() >= now.under_way;
  if (waits) inquiry_.flush();
  if (this_turn_ >= now.rows_a_turn) more_.schedule();
  return !waits && this_turn_ < now.rows_a_turn && roots_have_room();
}

// Both keep the stream waiting: rows this process, questions Redis.
Loader::Comparison::Pace Loader::Comparison::pace() const {
  constexpr Pace kAlone{256, 4096}, kBesideHurried{64, 128};
  return sink_.hurried() ? kBesideHurried : kAlone;
}

void Loader::Comparison::keep(Row row) {
  if (gave_up_ || inquiry_.lost()) return;
  expected_.clear();
  bool writable = true;
  try {
    writer_.expect(row, expected_);
    writable = writer_.refusals().empty();
  } catch (const sinks::RowError&) {
    writable = false;
  }
  if (!writable) return differs(identity());  // whoever writes it says why not
  for (const sinks::Expectation& expected : expected_) {
    if (expected.skip) continue;
    open_.push_back(identity());
    inquiry_.ask(expected);
  }
  ++this_turn_;
}

void Loader::Comparison::answer(const sinks::Difference& difference) {
  const std::string row = std::move(open_.front());
  open_.pop_front();
  if (difference.kind != sinks::Difference::Kind::equal) {
    newer_now();
    if (!overtaken(row)) differs(row);
  }
  if (inquiry_.under_way() == 0) quiet_.set();
  if (inquiry_.under_way() <= pace().under_way / 2) more_.schedule();
}

void Loader::Comparison::differs(const std::string& row) {
  if (differing_.empty() || differing_.back() != row) differing_.push_back(row);
  gave_up_ = gave_up_ || differ_too_many();
}

}  // namespace walrelay::sidecar
