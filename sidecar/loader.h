// Reads tables while the stream goes on: the initial load, tables that appear later, tables whose columns changed, and
// single rows that must be read again. One mechanism, the chunk (design 4).
//
//   add(table) ─> ranges of pages ─┐                          ┌─ stream has passed the chunk's position?
//   Rereads    ─> rows by key ─────┴─> worker: open_chunk ─> rows ─> overtaken by the stream? ─> sink.batch()
//                                       (one connection each)                                 └─> cursor in Redis
//
// A worker that fails goes back to the queue with its work; only what no retry can mend ends the session. Nothing
// here holds a transaction longer than one chunk takes to be written.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "replication/chunk.h"
#include "replication/copy_row.h"
#include "sidecar/load_plan.h"
#include "sidecar/overtaken.h"
#include "sidecar/pipeline.h"
#include "sidecar/relations.h"
#include "sidecar/rereads.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct LoaderOptions {
  replication::ConnectionOptions connection;
  std::size_t connections = 2;
  std::uint64_t chunk_bytes = 1024 * 1024;
  std::string format = "auto";  // of COPY: auto | text | binary
  std::string load_key;         // where cursors are kept
  bool fresh = false;           // Redis was empty: nothing can stand where a row is written
  const replication::Encoding* encoding = nullptr;
};

struct LoadProgress {
  std::uint64_t rows = 0, bytes = 0, skipped_rows = 0;  // since this session began; skipped: the stream was newer
  std::uint64_t estimated_rows = 0;                     // of all tables that this session loads
  std::size_t tables = 0, tables_done = 0;
  std::uint64_t chunks = 0, repeated_chunks = 0, rereads = 0;
};

class Loader {
 public:
  Loader(event::Loop& loop, LoaderOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads,
         Pipeline& pipeline, sinks::Sink& sink, ServerClock& clock);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Reads the whole table, from `cursor` on when that still fits (load_plan.h). A table that is being read already
  // starts again.
  void add(const replication::TableInfo& info, const std::string& cursor);
  // What has been read of it is worth nothing, and rows to be read again come with all the others: add() will follow.
  void abandon(const replication::TableInfo& info);
  void forget(const replication::TableInfo& info);  // the table is gone
  void start();

  void on_processed();                          // the stream has moved
  void on_writable();                           // the sink takes more
  void on_recorded(replication::Lsn position);  // a restart would replay only what comes after it
  void wake();                                  // a row was noted for rereading

  std::function<void(const std::string& table, std::uint64_t rows)> on_table_loaded;
  std::function<void()> on_all_loaded;
  std::function<void(std::exception_ptr)> on_failed;            // nothing will be loaded any more
  std::function<void(const std::string& sentence)> on_trouble;  // tried again
  std::function<void()> on_stuck;         // a chunk waits for a position: ask the server where it is
  std::function<void()> on_flush_needed;  // for long: make the server flush its WAL

  [[nodiscard]] bool idle() const;  // nothing to load or reread
  [[nodiscard]] const LoadProgress& progress() const { return progress_; }
  [[nodiscard]] std::string current_table() const;

 private:
  struct Chunk;
  event::Task<> work(std::size_t number);
  event::Task<> serve(replication::Connection& connection);
  event::Task<> read_range(replication::Connection& connection, TableLoad& table);
  event::Task<> read_rows_again(replication::Connection& connection);
  event::Task<> run(replication::Connection& connection, Chunk& chunk, replication::ChunkRequest request);
  void nudge();
  bool receive(Chunk& chunk, std::string_view data);
  void pump(Chunk& chunk);
  void land(Chunk& chunk, std::string_view data);
  void land_reread(Chunk& chunk, replication::Row row);
  void finish_range(TableLoad& table, std::uint64_t sequence);
  void finish_table(TableLoad& table);
  void report_if_all_loaded();
  void forget_rereads(const std::vector<std::string>& notes);
  void note_cursor(const std::string& table, std::string cursor);
  void write_cursor(const std::string& table, const std::string& cursor);
  TableLoad* next_table();
  void worker_ended(std::size_t number, std::exception_ptr error);

  event::Loop& loop_;
  LoaderOptions options_;
  Relations& relations_;
  Overtaken& overtaken_;
  Rereads& rereads_;
  Pipeline& pipeline_;
  sinks::Sink& sink_;
  ServerClock& clock_;
  event::Event work_ready_;
  event::Timer nudger_;
  int nudges_ = 0;
  std::list<std::unique_ptr<TableLoad>> tables_;
  std::vector<Chunk*> chunks_;  // open ones; each lives in its worker's coroutine
  LoadProgress progress_;
  struct NotedCursor {
    std::string table, cursor;
    replication::Lsn when_recorded;
  };
  std::deque<NotedCursor> noted_;
  replication::Lsn recorded_ = replication::Lsn::invalid;
  std::string identity_;  // scratch
  std::vector<std::unique_ptr<event::Job>> workers_;
};

}  // namespace walrelay::sidecar
