// Asks Redis about the rows of a chunk, when it shows what they are of, and so many at once that neither Redis nor this
// process keeps the stream waiting.
//
//   takes()   <─ may_ask(): all is shown that the stream brought up to the chunk's position; room for one more row
//   land(row) ─> next_row(), ask(...) ─> packets (sinks/redis_inquiry.h) ─> on_answer, in the order of the questions
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "event/loop.h"
#include "event/task.h"
#include "sidecar/chunk_reader.h"
#include "sinks/expectation.h"
#include "sinks/redis_inquiry.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

class RowQuestions {
 public:
  // All of these outlive it. The connection is nobody else's meanwhile.
  RowQuestions(event::Loop& loop, ChunkReader& reader, sinks::Sink& sink, sinks::RedisConnection& redis, bool by_bytes);
  RowQuestions(const RowQuestions&) = delete;
  RowQuestions& operator=(const RowQuestions&) = delete;

  // Whether one more row may be asked about now; if not, the reader is pumped when it may. Called from when on the
  // stream has passed the chunk's position.
  [[nodiscard]] bool may_ask();
  void next_row() { ++this_turn_; }
  void ask(const sinks::Expectation& expected) { inquiry_.ask(expected); }

  // There will be no more answers: nothing need be asked, and finish() throws.
  [[nodiscard]] bool lost() const { return inquiry_.lost(); }
  // When every row has landed: waits for the answers. Throws RedisError.
  event::Task<> finish();

  std::function<void(const sinks::Difference& difference)> on_answer;

 private:
  struct Pace {
    std::size_t rows_a_turn;  // of the loop
    std::size_t under_way;    // questions
  };
  [[nodiscard]] Pace pace() const;
  [[nodiscard]] bool is_shown();
  void answered();

  sinks::Sink& sink_;
  sinks::RedisInquiry inquiry_;
  std::optional<std::uint64_t> ticket_;  // of all that came before the position
  bool is_shown_ = false;
  std::size_t this_turn_ = 0;
  event::Event quiet_;
  event::Deferred more_;
};

}  // namespace walrelay::sidecar
