// Reads a bounded part of a table and gives out its rows at the right moment: design 4. Initial load, rebuild, sweep
// and verify all read through here.
//
//   open: snapshot, position ──> COPY ──> rows wait here ──(the stream has passed the position)──> Chunk::land(row)
//     └─ again, when the snapshot misses what the stream had delivered before
//
// While a Chunk lives, the stream's changes of its table are remembered (overtaken.h): `newer` says, whenever land() is
// called and after newer_now(), which of its rows the stream has overtaken.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "replication/chunk.h"
#include "replication/connection.h"
#include "replication/copy_row.h"
#include "replication/encoding.h"
#include "sidecar/overtaken.h"
#include "sidecar/pipeline.h"
#include "sidecar/server_clock.h"

namespace walrelay::sidecar {

class ChunkReader {
 public:
  class Chunk;

  ChunkReader(event::Loop& loop, Overtaken& overtaken, const Pipeline& pipeline, const ServerClock& clock,
              const replication::Encoding* encoding);
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  // Returns when every row has landed. Throws PostgresError, one that table_changed() (policy.h) knows where a column
  // is of another type than in the chunk's relation, and what land() throws. The request's format is taken from it:
  // binary only where the chunk's relation allows it.
  event::Task<> run(Chunk& chunk, replication::ChunkRequest request);

  void pump();  // the stream has moved, or there is room again: rows that may land do

  std::function<void()> on_stuck;         // a chunk waits for a position: ask the server where it is
  std::function<void()> on_flush_needed;  // for long: make the server flush its WAL

  [[nodiscard]] std::uint64_t chunks() const { return chunks_read_; }        // opened for good
  [[nodiscard]] std::uint64_t repeated() const { return chunks_repeated_; }  // that came too early

 private:
  void nudge();
  void pump(Chunk& chunk);
  void land_waiting(Chunk& chunk);
  bool receive(Chunk& chunk, std::string_view data);
  void land(Chunk& chunk, std::string_view data);
  [[nodiscard]] bool may_land(Chunk& chunk) const;

  event::Loop& loop_;
  Overtaken& overtaken_;
  const Pipeline& pipeline_;
  const ServerClock& clock_;
  const replication::Encoding* const encoding_;
  event::Timer nudger_;
  int nudges_ = 0;
  std::vector<Chunk*> open_;
  std::uint64_t chunks_read_ = 0, chunks_repeated_ = 0;
};

// Lives in the coroutine that reads it; what it borrows outlives it.
class ChunkReader::Chunk {
 public:
  Chunk(ChunkReader& reader, const replication::Relation& rows_of, replication::Connection& from);
  virtual ~Chunk();
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  [[nodiscard]] const replication::Relation& relation() const { return relation_; }
  [[nodiscard]] Overtaken::ChunkId id() const { return id_; }
  [[nodiscard]] const replication::ChunkOpened& opened() const { return opened_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }  // bytes of rows
  [[nodiscard]] bool overtaken(const std::string& identity) const { return newer_.contains(identity); }
  // The same for an identity of which columns may be absent: any row that it could be of.
  [[nodiscard]] bool may_be_overtaken(const std::string& part) const;
  // Takes in what the stream has brought since; while a chunk lands this has been done.
  void newer_now();

 protected:
  // One row, when the stream has passed the position. Borrowed for the call.
  virtual void land(replication::Row row) = 0;
  // Whether it may be given one now, besides. May ask for what it waits for: then pump() is called when that has come.
  [[nodiscard]] virtual bool takes() = 0;
  // What its queries are counted as.
  [[nodiscard]] virtual replication::Purpose purpose() const { return replication::Purpose::chunk; }

 private:
  friend class ChunkReader;
  void close();

  ChunkReader& reader_;
  const replication::Relation& relation_;
  replication::Connection& connection_;
  Overtaken::ChunkId id_ = 0;  // 0: not open
  replication::ChunkOpened opened_;
  bool binary_ = false;
  replication::CopyTextRow text_row_;
  replication::CopyBinaryRow binary_row_;
  Overtaken::Newer newer_;
  std::uint64_t newer_from_ = 0;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t received_ = 0;
  bool copying_ = false;  // opened for good: the snapshot is there
  bool copy_paused_ = false, read_all_ = false;
  event::Event landed_;  // every row, or none will any more:
  std::exception_ptr failure_;
};

}  // namespace walrelay::sidecar
