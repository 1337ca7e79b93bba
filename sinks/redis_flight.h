// One MULTI ... EXEC on its way to Redis, and what is gathered for the next. Private to the redis sink.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/lsn.h"
#include "sinks/batch.h"
#include "sinks/dead_letter.h"
#include "sinks/handed_keys.h"

namespace walrelay::sinks {

struct DeadLetterAt {
  DeadLetter letter;
  replication::Position position;
};

// In a careful session: the rows that commands are of, by Batch::Place::row.
using RowImages = std::map<std::uint32_t, RowImage>;

struct RedisFlight {
  std::size_t commands = 0;  // sent since MULTI, without those that finish() adds
  std::size_t bytes = 0, rows = 0, transactions = 0, coalesced = 0;
  std::size_t letter_bytes = 0;     // of the letters and images
  replication::Position end;        // what is done once this is applied
  replication::Position verified;   // what its checkpoint says
  std::int64_t commit_time_us = 0;  // of the last transaction that it completes; 0: it completes none
  bool torn = false;                // ends inside a transaction, or inside a removal
  bool sealed = false;              // takes no more
  std::vector<DeadLetter> letters;  // to be noted once this is applied
  RowImages images;
  Batch::Invalidations invalidations;
  HandedKeys keys;  // where a TRUNCATE may find it open; in a careful session, to name what Redis refuses

  std::string closing;       // dead letters, HSET checkpoint, EXEC, WATCH, GET
  std::size_t noted = 0;     // dead letters in `closing`
  std::size_t answered = 0;  // replies to `closing`
  std::size_t queued = 0;    // replies to `commands`
  bool nil = false;          // EXEC did nothing: the fence has changed
  std::chrono::steady_clock::time_point left;
  std::chrono::steady_clock::time_point since{};  // its oldest row was received; the epoch: it has none of the stream
};

// What is known of the filling batch.
struct RedisFilling {
  std::size_t rows = 0, transactions = 0;
  std::size_t complete_bytes = 0;  // up to the last commit
  bool committed = false;          // there is something that may leave
  std::vector<DeadLetter> letters;
  RowImages images;
  std::size_t letter_bytes = 0;  // of the letters and images
  std::chrono::steady_clock::time_point since{};
};

}  // namespace walrelay::sinks
