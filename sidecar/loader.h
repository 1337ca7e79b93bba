// Reads tables while the stream goes on: the initial load, tables that appear later, tables whose columns changed, and
// single rows that must be read again. One mechanism, the chunk (design 4).
//
//   add(table) ─> ranges of pages ─┐                          ┌─ stream has passed the chunk's position?
//   Rereads    ─> rows by key ─────┴─> worker: open_chunk ─> rows ─> overtaken by the stream? ─> sink.batch()
//                                       (one connection each)                                 └─> cursor in Redis
//
// Where rows may stand in Redis already, a range is compared first (loader_comparison.h).
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
#include <optional>
#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "sidecar/chunk_reader.h"
#include "sidecar/documents.h"
#include "sidecar/load_plan.h"
#include "sidecar/overtaken.h"
#include "sidecar/pipeline.h"
#include "sidecar/relations.h"
#include "sidecar/rereads.h"
#include "sidecar/seen_keys.h"
#include "sinks/redis_connection.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct LoaderOptions {
  replication::ConnectionOptions connection;
  std::size_t connections = 2;
  std::uint64_t chunk_bytes = 1024 * 1024;
  std::string format = "auto";                              // of COPY: auto | text | binary
  std::string load_key;                                     // where cursors are kept
  bool fresh = false;                                       // Redis was empty: nothing can stand where a row is written
  std::optional<sinks::RedisOptions> redis = std::nullopt;  // who is asked what stands there; nothing: nobody
};

struct LoadProgress {
  std::uint64_t rows = 0, bytes = 0, skipped_rows = 0;  // since this session began; skipped: the stream was newer
  std::uint64_t estimated_rows = 0;                     // of all tables that this session loads
  std::size_t tables = 0, tables_done = 0;
  std::uint64_t rereads = 0;
};

class Loader {
 public:
  Loader(event::Loop& loop, LoaderOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads,
         Pipeline& pipeline, sinks::Sink& sink, ChunkReader& reader);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Reads the whole table, from `cursor` on when that still fits (load_plan.h). A table that is being read already
  // starts again.
  void add(const replication::TableInfo& info, const std::string& cursor);
  // The same from its beginning for a table that Redis holds already; rows to be read again are still read by key.
  void add_again(const replication::TableInfo& info);
  // Gives that up: what was read is right, and so is what was not.
  void give_up(const replication::TableInfo& info);
  // The rows that a condition names: in one chunk, or, where the server thinks that they are many, in several. After
  // each `each` hears how many rows it had; false: the rest is not wanted. The connection is nobody else's meanwhile.
  using ChunkDone = std::function<bool(std::uint64_t rows)>;
  event::Task<> read_slice(replication::Connection& connection, replication::TableInfo info, std::string where,
                           ChunkDone each);
  // Rows of the table that were read by the load that is under way.
  [[nodiscard]] std::uint64_t rows_read(replication::Oid table) const;
  // What has been read of it is worth nothing, and rows to be read again come with all the others: add() will follow.
  void abandon(const replication::TableInfo& info);
  void forget(const replication::TableInfo& info);  // the table is gone
  void start();

  void on_recorded(replication::Lsn position);  // a restart would replay only what comes after it
  void wake();                                  // a row was noted for rereading

  // `equal`: so many of the rows stood in Redis as they are, and were not written.
  std::function<void(const std::string& table, std::uint64_t rows, std::uint64_t equal)> on_table_loaded;
  std::function<void()> on_all_loaded;
  std::function<void(std::exception_ptr)> on_failed;            // nothing will be loaded any more
  std::function<void(const std::string& sentence)> on_trouble;  // tried again
  // A table may not be read any more. True: it has been given up, and this is no failure of the loader's.
  std::function<bool(replication::Oid table, const std::string& sentence)> on_refused;

  // Where the keys of rows that are read are noted, while a job wants them; null: nowhere.
  void note_keys(SeenKeys* seen) { seen_ = seen; }

  void mark(Documents& documents) { documents_ = &documents; }  // told which rows are read; it outlives the loader

  [[nodiscard]] bool idle() const;  // nothing to load or reread
  [[nodiscard]] const LoadProgress& progress() const { return progress_; }
  [[nodiscard]] std::string current_table() const;

 private:
  class Chunk;
  class Comparison;
  struct Slice;
  struct Worker;
  struct RangeRead;
  event::Task<std::string> read_part(Slice& slice, replication::ChunkRequest request);
  event::Task<> read_pages(Slice& slice, LoadLeaf leaf);
  event::Task<std::uint64_t> estimate(Slice& slice, const replication::ChunkRequest& of);
  void push(const replication::TableInfo& info, const std::string& cursor);
  void drop_load(const replication::TableInfo& info);
  event::Task<> work(std::size_t number);
  event::Task<> serve(Worker& worker);
  event::Task<> read_range(Worker& worker, TableLoad& table);
  event::Task<RangeRead> read_rows(Worker& worker, TableLoad& table, LoadRange range);
  event::Task<RangeRead> compare(Worker& worker, TableLoad& table, replication::ChunkRequest request);
  [[nodiscard]] replication::ChunkRequest request_of(const TableLoad& table, const LoadRange& range) const;
  event::Task<> read_rows_again(replication::Connection& connection);
  void finish_table(TableLoad& table);
  void report_if_all_loaded();
  void forget_rereads(const std::vector<std::string>& notes);
  void note_cursor(const std::string& table, std::string cursor);
  void write_cursor(const std::string& table, const std::string& cursor);
  TableLoad* next_table();
  [[nodiscard]] const TableLoad* load_of(replication::Oid table) const;
  void worker_ended(std::size_t number, std::exception_ptr error);

  event::Loop& loop_;
  LoaderOptions options_;
  Relations& relations_;
  Overtaken& overtaken_;
  Rereads& rereads_;
  Pipeline& pipeline_;
  sinks::Sink& sink_;
  ChunkReader& reader_;
  SeenKeys* seen_ = nullptr;
  Documents* documents_ = nullptr;
  event::Event work_ready_;
  event::Deferred pump_;
  std::list<std::unique_ptr<TableLoad>> tables_;
  LoadProgress progress_;
  struct NotedCursor {
    std::string table, cursor;
    replication::Lsn when_recorded;
  };
  std::deque<NotedCursor> noted_;
  replication::Lsn recorded_ = replication::Lsn::invalid;
  std::vector<std::unique_ptr<event::Job>> workers_;
};

}  // namespace walrelay::sidecar
