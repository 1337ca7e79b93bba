// One chunk of a comparison under way: private to verify.cc (verify.h).
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "sidecar/row_questions.h"
#include "sidecar/verify.h"
#include "sinks/place.h"

namespace walrelay::sidecar {

// Rows that become questions. Who differs is noted under its identity, and is nobody's fault when the stream has
// touched it.
class Verify::Chunk final : public ChunkReader::Chunk {
 public:
  Chunk(Verify& verify, How how)
      : ChunkReader::Chunk(verify.reader_, verify.subject_relation(), verify.postgres_),
        verify_(verify),
        how_(how),
        questions_(verify.loop_, verify.reader_, verify.sink_, verify.redis_, how == How::by_bytes) {
    questions_.on_answer = [this](const sinks::Difference& difference) { answer(difference); };
  }

  event::Task<> finish() { return questions_.finish(); }  // as RowQuestions'

 protected:
  [[nodiscard]] bool takes() override {
    return questions_.lost() || questions_.may_ask();  // lost: to come to an end
  }

  void land(replication::Row row) override {
    if (questions_.lost()) return;
    questions_.next_row();
    identity_ = verify_.identity_of(row);
    if (how_ == How::by_bytes) verify_.count_row();
    if (moves(identity_)) {
      ++verify_.moving_;
      return;
    }
    expected_.clear();
    try {
      verify_.expect(row, expected_);
    } catch (const sinks::RowError&) {
      return;  // it cannot be written either; whoever wrote it said so
    }
    for (const sinks::Expectation& expected : expected_) {
      const bool close = how_ == How::closely;
      if (verify_.scope_.seen != nullptr || close) place_ = expected.place();
      if (verify_.scope_.seen != nullptr) verify_.scope_.seen->add(place_);
      open_.push_back({identity_, close ? sinks::shown_place(place_) : "", row_key(row)});
      questions_.ask(expected);
    }
  }

 private:
  struct Open {
    std::string identity, key;
    RowKey row;
  };

  [[nodiscard]] bool moves(const std::string& identity) const {
    return overtaken(identity) || verify_.is_moving(identity);
  }

  RowKey row_key(replication::Row row) const {
    RowKey key;
    if (how_ == How::by_bytes || verify_.document_) return key;
    return sidecar::row_key(relation(), row);
  }

  void answer(const sinks::Difference& difference) {
    const Open open = std::move(open_.front());
    open_.pop_front();
    if (difference.kind != sinks::Difference::Kind::equal) differs(open, difference);
  }

  void differs(const Open& open, const sinks::Difference& difference) {
    newer_now();
    if (moves(open.identity)) {
      ++verify_.moving_;
    } else if (how_ == How::by_bytes) {
      verify_.suspects_.insert(open.identity);
    } else if (verify_.on_difference) {
      verify_.on_difference({difference, open.key, open.identity, open.row, verify_.document_});
    }
  }

  Verify& verify_;
  const How how_;
  RowQuestions questions_;
  std::deque<Open> open_;  // whose answers are to come
  std::vector<sinks::Expectation> expected_;
  std::string identity_, place_;
};

}  // namespace walrelay::sidecar
