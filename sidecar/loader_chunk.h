// One chunk under way: private to the loader's files.
//
//   loader.cc        which table or row is next, and who reads it      loader_chunk.cc   from rows to the sink's batch
#pragma once

#include <deque>
#include <string>

#include "event/loop.h"
#include "replication/chunk.h"
#include "replication/connection.h"
#include "replication/copy_row.h"
#include "sidecar/loader.h"
#include "sidecar/overtaken.h"

namespace walrelay::sidecar {

// One chunk under way. Lives in the coroutine of its worker; chunks_ knows it while the stream may move it on.
struct Loader::Chunk {
  Chunk(event::Loop& loop, const replication::Relation& rows_of, sinks::RelationWriter& into,
        replication::Connection& from)
      : relation(rows_of), writer(into), connection(from), landed(loop) {}

  const replication::Relation& relation;
  sinks::RelationWriter& writer;
  replication::Connection& connection;
  Overtaken::ChunkId id = 0;
  replication::ChunkOpened opened;
  const TableLoad* load = nullptr;  // whose range this is; null: rows by key
  bool binary = false, by_key = false;
  replication::CopyTextRow text_row;
  replication::CopyBinaryRow binary_row;
  Overtaken::Newer newer;
  std::uint64_t newer_from = 0;
  std::deque<std::string> waiting;
  std::size_t waiting_bytes = 0;
  bool copying = false;  // opened for good: the snapshot is there
  bool copy_paused = false, read_all = false;
  event::Event landed;  // every row is in the sink's batch
  std::uint64_t rows = 0;
};

}  // namespace walrelay::sidecar
