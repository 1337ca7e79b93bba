// One bounded read of a table, with what is needed to place it exactly in the stream (design 4).
//
//   open_chunk():  BEGIN REPEATABLE READ READ ONLY;  SELECT pg_current_snapshot(), pg_current_wal_insert_lsn(), ...
//   copy_chunk():  COPY (SELECT ...) TO STDOUT;  COMMIT          one short transaction, two round trips
//
// The snapshot is taken before the position, so every transaction that it sees has its commit record before
// `position`: a row of the chunk may be written once the stream has passed `position`, unless the stream, since the
// chunk was opened, has carried a change of the same row by a transaction that `snapshot` does not see. The position
// comes before the rows, so that they need not be kept until the last one is there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/task.h"
#include "replication/change.h"
#include "replication/connection.h"
#include "replication/lsn.h"
#include "replication/snapshot.h"

namespace walrelay::replication {

struct ChunkRequest {
  std::string schema, table;           // what is read: a table or a leaf partition
  std::vector<std::string> columns;    // in the order wanted
  std::string where;                   // SQL condition, or empty
  std::string select = {};             // instead of columns and where: what is read, and the table is only locked
  std::vector<std::string> path = {};  // schemas where `select` finds names without one
  std::vector<std::pair<std::string, std::string>> also = {};  // schema and name of other tables that `select` reads
  bool binary = false;                                         // COPY's binary format
  bool only = true;  // FROM ONLY: plain inheritance children are tables of their own
};

struct ChunkOpened {
  Snapshot snapshot;
  Lsn position = Lsn::invalid;  // never inside a page header: an idle server's stream stops before one
  std::string file;             // pg_relation_filenode of the table: another one means that every ctid has changed
  std::map<std::string, Oid> columns;  // the types that the table's columns have in this transaction
};

// "SET LOCAL search_path = ...; ", or nothing for no schema.
std::string search_path_sql(const std::vector<std::string>& schemas);

// The COPY statement of a chunk.
std::string chunk_sql(const ChunkRequest& request);

// Begins the chunk's transaction, and locks the tables that it will read. Throws PostgresError; then the transaction is
// over.
event::Task<ChunkOpened> open_chunk(Connection& connection, std::string schema, std::string table,
                                    std::vector<std::pair<std::string, std::string>> also = {});

// Reads the rows and ends the transaction; `row` gets each CopyData as it comes (copy_row.h decodes it) and may pause.
event::Task<> copy_chunk(Connection& connection, ChunkRequest request, Connection::CopyRow row);

}  // namespace walrelay::replication
