#include "sidecar/row_questions.h"

namespace walrelay::sidecar {

RowQuestions::RowQuestions(event::Loop& loop, ChunkReader& reader, sinks::Sink& sink, sinks::RedisConnection& redis,
                           bool by_bytes)
    : sink_(sink), inquiry_(redis, by_bytes), quiet_(loop), more_(loop, [this, &reader] {
        this_turn_ = 0;
        reader.pump();
      }) {
  inquiry_.on_lost = [this] { answered(); };
  inquiry_.on_answer = [this](const sinks::Difference& difference) {
    on_answer(difference);
    answered();
  };
}

// Both keep the stream waiting: rows this process, questions Redis.
RowQuestions::Pace RowQuestions::pace() const {
  constexpr Pace kUsual{256, 4096}, kBesideHurried{64, 128};
  return sink_.hurried() ? kBesideHurried : kUsual;
}

// That does not wait for flush.interval. A removal that is under way is in no batch: the sink is full meanwhile.
bool RowQuestions::is_shown() {
  if (is_shown_) return true;
  if (!ticket_) {
    ticket_ = sink_.ticket();
    sink_.flush();
  }
  is_shown_ = !sink_.full() && sink_.has_shown(*ticket_);
  return is_shown_;
}

bool RowQuestions::may_ask() {
  if (!is_shown()) return false;
  const Pace now = pace();
  const bool full = inquiry_.under_way() >= now.under_way;
  if (full) inquiry_.flush();
  if (this_turn_ >= now.rows_a_turn) more_.schedule();
  return !full && this_turn_ < now.rows_a_turn;
}

void RowQuestions::answered() {
  if (inquiry_.under_way() == 0 || inquiry_.lost()) quiet_.set();
  if (inquiry_.under_way() <= pace().under_way / 2 || inquiry_.lost()) more_.schedule();
}

event::Task<> RowQuestions::finish() {
  inquiry_.flush();
  while (inquiry_.under_way() > 0 && !inquiry_.lost()) {
    quiet_.reset();
    co_await quiet_;
  }
  inquiry_.rethrow_if_lost();
}

}  // namespace walrelay::sidecar
