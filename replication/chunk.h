// One bounded read of a table, with what is needed to place it exactly in the stream (design 4).
//
//   BEGIN REPEATABLE READ READ ONLY;  SELECT pg_current_snapshot();  COPY (SELECT ...) TO STDOUT;
//   SELECT pg_current_wal_insert_lsn();  COMMIT          one round trip, one short transaction
//
// A row of the chunk may be written once the stream has passed `position`, unless the stream, since the chunk was
// opened, has carried a change of the same row by a transaction that `snapshot` does not see.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/task.h"
#include "replication/change.h"
#include "replication/connection.h"
#include "replication/lsn.h"
#include "replication/snapshot.h"

namespace walrelay::replication {

struct ChunkRequest {
  std::string schema, table;         // what is read: a table or a leaf partition
  std::vector<std::string> columns;  // in the order wanted
  std::string where;                 // SQL condition, or empty
  bool binary = false;               // COPY's binary format
  bool only = true;                  // FROM ONLY: plain inheritance children are tables of their own
};

struct ChunkRead {
  Snapshot snapshot;
  Lsn position = Lsn::invalid;
};

// The statements of a chunk, for tests and for --dry-run.
std::string chunk_sql(const ChunkRequest& request);

// Reads one chunk over `connection`; `row` gets each CopyData as it comes (copy_row.h decodes it).
event::Task<ChunkRead> read_chunk(Connection& connection, ChunkRequest request, Connection::CopyRow row);

}  // namespace walrelay::replication
