// The dead-letter stream (sinks/dead_letter.h) from its other side: reading it, trying its rows again, dropping it.
//
//   XRANGE walrelay:{slot}:dead ─> Letter ─┬─ a walrelay runs ──> LetterReplay: its row is read again by its key and
//                                          │                      written, what a deleted one had is removed; XDEL in
//                                          the │                      same batch └─ none runs ────────> its note goes
//                                          to the rows that the next start reads again
//
// A letter holds values of a row: they are printed only where that is asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "sidecar/pipeline.h"
#include "sidecar/relations.h"
#include "sinks/dead_letter.h"
#include "sinks/redis_connection.h"

namespace walrelay::sidecar {

struct Letter {
  std::string id;  // of the stream's entry: "1700000000000-0"
  sinks::DeadLetter letter;
  std::string position;
};

// Whether it has the form of an entry's id.
bool is_letter_id(const std::string& text);

// At most `most` letters from `first` ("-", an id, or "(" and an id) to `last` ("+" or an id). Throws
// sinks::RedisError.
event::Task<std::vector<Letter>> read_letters(sinks::RedisConnection& redis, std::string key, std::string first,
                                              std::string last, std::size_t most);
// The id of the latest; empty: there is none.
event::Task<std::string> latest_letter(sinks::RedisConnection& redis, std::string key);

struct ReplayResult {
  enum class What : std::uint8_t { replayed, unknown, impossible } what = What::replayed;
  std::string sentence = {};  // why not
};

// In a session: takes letters one after another. Its row is read again by its key, as for a TOASTed column.
class LetterReplay {
 public:
  using Done = std::function<void(const ReplayResult&)>;

  // All outlive this. `key`: of the stream.
  LetterReplay(event::Loop& loop, sinks::RedisOptions redis, std::string key, Relations& relations, Pipeline& pipeline,
               sinks::Sink& sink);
  LetterReplay(const LetterReplay&) = delete;
  LetterReplay& operator=(const LetterReplay&) = delete;

  // `done` comes from the loop, once Redis holds that the row is to be read again and the letter is gone; never after
  // this object's end.
  void replay(std::string id, Done done);

 private:
  struct Asked {
    std::string id;
    Done done;
  };
  event::Task<> work();
  event::Task<ReplayResult> one(std::string id);
  ReplayResult carry_out(const Letter& letter);

  event::Loop& loop_;
  const sinks::RedisOptions options_;
  const std::string key_;
  Relations& relations_;
  Pipeline& pipeline_;
  sinks::Sink& sink_;
  std::deque<Asked> asked_;
  std::unique_ptr<sinks::RedisConnection> redis_;
  std::optional<event::Job> job_;
};

}  // namespace walrelay::sidecar
