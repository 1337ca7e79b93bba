// Keeps Redis: batches of whole transactions in MULTI/EXEC, the checkpoint inside, a fence around.
//
//   filling ──(rows, bytes or interval; the one before acknowledged)──> in flight ──(every reply checked)──> applied
//
//   on the wire, pipelined:   MULTI | commands ... | HSET checkpoint sent=N verified=N-1 | EXEC |
//                              WATCH fence | GET fence
//
// A long transaction streams its commands into the open MULTI as they come, so that this process never holds it; Redis
// queues them until EXEC. Beyond flush.max_transaction it is cut: EXEC with a checkpoint that names the place inside.
// A nil EXEC or another value under the fence means another owner, or FLUSHALL: the sink fails with FENCED and writes
// no more (design 3, reliability 3.3).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "event/loop.h"
#include "event/task.h"
#include "sinks/checkpoint.h"
#include "sinks/redis_connection.h"
#include "sinks/sink.h"

namespace walrelay::sinks {

struct FlushOptions {
  std::chrono::milliseconds interval{100};         // 0: group commit, whatever came while the last batch was in flight
  std::size_t batch_size = 1000;                   // rows
  std::size_t max_bytes = 256 * 1024;              // of commands held in this process
  std::size_t max_transaction = 64 * 1024 * 1024;  // of commands in one MULTI
};

struct AckOptions {
  int replicas = 0;      // WAIT for so many before a position counts as recorded
  bool fsynced = false;  // WAITAOF 1 (Redis 7.2)
};

struct RedisSinkOptions {
  std::string slot;
  FlushOptions flush;
  AckOptions ack;
  bool careful = false;  // keep keys and rows of a batch to name what Redis refuses; small batches
  // What becomes of a command that Redis refuses, by its write. The sink fails where it says `stop`, is null, or the
  // session is not careful.
  std::function<OnPoison(std::uint32_t write)> policy;
  std::size_t most_letters = 0;  // about how many dead letters are kept; 0: all
  // "mapping users, table public.users": for error messages and dead letters.
  std::function<std::string(std::uint32_t write)> describe;
};

// Redis refused commands of a batch that stay refused (WRONGTYPE, ...). Without `careful` the keys are not known.
class BatchRefused : public RedisError {
 public:
  using RedisError::RedisError;
};

struct SinkCounters {  // monotone since construction
  std::uint64_t batches = 0, commands = 0, rows = 0, coalesced = 0, transactions = 0, bytes = 0, refused = 0;
  std::uint64_t skipped = 0;  // refused commands that were only counted
  // What changes have asked for, by mapping; "": the application itself.
  std::map<std::string, Batch::Invalidations::Asked> invalidated;
  std::uint64_t invalidation_scans = 0;  // passes over all keys
  std::uint64_t invalidated_keys = 0;    // that they, and second removals, have found and removed
  std::uint64_t refused_rows = 0;        // that no command could be made of, noted as dead letters
  std::uint64_t refused_notes = 0;       // commands that Redis refused, likewise
  double last_batch_seconds = 0;         // EXEC sent to last reply
  double last_apply_seconds = 0;  // of what was applied last: its oldest row received to its last reply; -1: no row of
                                  // the stream
};

// For who is about to make the slot: a checkpoint that stands there belongs to another one from now on.
event::Task<> forget_slot(RedisConnection& connection, std::string slot);

// From start() on the connection belongs to the sink: it uses on_lost, an open MULTI may stand on it, and the sink's
// destructor and its failure close it.
class RedisSink : public Sink {
 public:
  RedisSink(event::Loop& loop, RedisConnection& connection, RedisSinkOptions options, SinkEvents& events);
  ~RedisSink() override;

  // The slot is ours: raises the fence, sets the standing WATCH, and reads what the last owner left.
  struct Found {
    std::optional<Checkpoint> checkpoint;
    std::map<std::string, std::string> load;      // load_key's fields
    std::map<std::string, std::string> reread;    // reread_key's fields
    std::map<std::string, std::string> jobs;      // jobs_key's fields
    std::map<std::string, std::string> mappings;  // mappings_key's fields
    std::map<std::string, std::string> tables;    // tables_key's fields
    bool empty_database = false;                  // DBSIZE was 0 (or only our own keys)
  };
  event::Task<Found> take_over();

  [[nodiscard]] std::uint64_t epoch() const;  // ours, after take_over()

  // From here on batches may be sent. Everything up to `verified` is done; what lies between `verified` and `sent`
  // leaves as one batch (a reader may have seen it already, and must not see less again).
  void start(const Origin& origin, const std::string& phase, const replication::Position& verified,
             const replication::Position& sent);
  void set_phase(const std::string& phase);  // from the next batch on

  [[nodiscard]] const SinkCounters& counters() const;
  [[nodiscard]] std::size_t buffered() const;  // bytes held: filling and not yet taken by the socket

  Batch& batch() override;
  void row(const replication::Position& position) override;
  void loaded(std::size_t rows) override;
  void commit(replication::Lsn end, std::int64_t commit_time_us) override;
  void advance(replication::Lsn position) override;
  void remove_owned(std::vector<OwnedKeys> owned, std::vector<std::uint32_t> writes) override;
  [[nodiscard]] bool full() const override;
  [[nodiscard]] bool has_room() const override;
  [[nodiscard]] bool hurried() const override;
  [[nodiscard]] bool drained() const override;
  void hold(bool held) override;
  [[nodiscard]] bool held() const override;
  [[nodiscard]] std::uint64_t ticket() const override;
  [[nodiscard]] bool has_shown(std::uint64_t ticket) const override;
  void flush() override;
  void dead_letter(DeadLetter letter) override;
  [[nodiscard]] bool asks_for_rows() const override;
  void of_row(RowImage image) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sinks
