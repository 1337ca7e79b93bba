// Where committed changes go. One implementation keeps Redis (redis_sink.h), one prints (stdout_sink.h).
//
//   pipeline:  writer.apply(change, ..., sink.batch());  sink.row(position);  ...  sink.commit(end, time)
//   sink:      events.on_applied(position)   its replies are all checked: readers see it
//              events.on_recorded(position)  and the checkpoint beside the rows says so: PostgreSQL may be told
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"
#include "replication/lsn.h"
#include "sinks/batch.h"
#include "sinks/dead_letter.h"
#include "sinks/mapping.h"

namespace walrelay::sinks {

// What a sink tells its owner. Called from the loop, never from inside a call of the owner into the sink.
// None of these may destroy the sink (use event::Deferred).
class SinkEvents {
 public:
  virtual ~SinkEvents() = default;
  // `commit_time_us`: of the last transaction that this completes, on the server's clock; 0: it completes none.
  virtual void on_applied(const replication::Position& position, std::int64_t commit_time_us) = 0;
  virtual void on_recorded(const replication::Position& position) = 0;
  virtual void on_writable() = 0;                        // full() turned false, or has_room() or has_shown() true
  virtual void on_failed(std::exception_ptr error) = 0;  // once; the session is over
};

class Sink {
 public:
  virtual ~Sink() = default;

  // The batch that is filling. Append only between two calls into the sink; a reference stays valid for the sink's
  // life.
  virtual Batch& batch() = 0;

  // The commands of one more row message were appended (or it needed none). `position` names it inside its transaction
  // (open_commit, changes). A transaction beyond the limit may be cut after it.
  virtual void row(const replication::Position& position) = 0;

  // Rows read from a table (chunks) were appended outside any transaction; they leave with the next flush.
  virtual void loaded(std::size_t rows) = 0;

  // The transaction is complete. Nothing of it is shown before this, unless it is beyond the limit.
  virtual void commit(replication::Lsn end, std::int64_t commit_time_us) = 0;

  // Nothing is open and the server's log has passed `position` without a change for us: remembered lazily, so that
  // on_recorded follows within about a second, never before everything earlier.
  virtual void advance(replication::Lsn position) = 0;

  // Removes every key these own that stands in Redis or in the batch, in order: before whatever is appended later.
  // full() is true until that is done.
  virtual void remove_owned(std::vector<OwnedKeys> owned, std::vector<std::uint32_t> writes) = 0;

  // Stop feeding: memory is used up, or a removal is under way. What was appended stays.
  [[nodiscard]] virtual bool full() const = 0;

  // Little enough is under way for rows read from tables to join it: they must not keep the stream waiting. Always
  // where it is held, for as long as it is not full(). After a false on_writable() follows.
  [[nodiscard]] virtual bool has_room() const = 0;

  // Commits come that are to be shown at once (flush.interval: 0): who has Redis or this process busy with something
  // else, as a reader of tables has, does little at a time.
  [[nodiscard]] virtual bool hurried() const = 0;

  // Nothing is filling, in flight or unrecorded.
  [[nodiscard]] virtual bool drained() const = 0;

  // For who must know when a note is safe: a ticket of all that has been appended so far, and whether readers of Redis
  // see it. Tickets are of one sink. After a false on_writable() follows.
  [[nodiscard]] virtual std::uint64_t ticket() const = 0;
  [[nodiscard]] virtual bool has_shown(std::uint64_t ticket) const = 0;

  // Sends what has been committed without waiting for the interval (shutdown, tests).
  virtual void flush() = 0;

  // While held nothing becomes visible: what a row needs is still being fetched, and to show the rest without it would
  // show a state from before what the last owner had shown. Only for the first batch after start().
  virtual void hold(bool held) = 0;
  [[nodiscard]] virtual bool held() const = 0;

  // Notes a row that cannot be written in the dead-letter stream, as part of the open transaction.
  virtual void dead_letter(DeadLetter letter) = 0;

  // True: a command may be refused, and of_row() is asked for before the entries of each row, to note that row then.
  [[nodiscard]] virtual bool asks_for_rows() const { return false; }
  // The entries that are appended from now on are of this row; of none where the image is empty.
  virtual void of_row(RowImage /*image*/) {}
};

}  // namespace walrelay::sinks
