#include "sidecar/loader_comparison.h"

namespace walrelay::sidecar {

using replication::Row;

Loader::Comparison::Comparison(Loader& loader, const replication::Relation& rows_of, sinks::RelationWriter& writer,
                               replication::Connection& from, sinks::RedisConnection& redis)
    : Chunk(loader, rows_of, writer, from),
      writer_(writer),
      sink_(loader.sink_),
      questions_(loader.loop_, loader.reader_, loader.sink_, redis, true) {
  questions_.on_answer = [this](const sinks::Difference& difference) { answer(difference); };
}

// Who gives up, or will hear no answer, lets the rows pass. A batch that is held back waits for rows to be read again,
// perhaps on this very connection: nothing here may wait for it.
bool Loader::Comparison::takes() {
  gave_up_ = gave_up_ || sink_.held();
  if (gave_up_ || questions_.lost()) return true;
  return questions_.may_ask() && roots_have_room();
}

void Loader::Comparison::keep(Row row) {
  if (gave_up_ || questions_.lost()) return;
  questions_.next_row();
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
    questions_.ask(expected);
  }
}

void Loader::Comparison::answer(const sinks::Difference& difference) {
  const std::string row = std::move(open_.front());
  open_.pop_front();
  if (difference.kind != sinks::Difference::Kind::equal) {
    newer_now();
    if (!overtaken(row)) differs(row);
  }
}

void Loader::Comparison::differs(const std::string& row) {
  if (differing_.empty() || differing_.back() != row) differing_.push_back(row);
  gave_up_ = gave_up_ || differ_too_many();
}

}  // namespace walrelay::sidecar
