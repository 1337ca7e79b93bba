#include "replication/chunk.h"

#include <stdexcept>

#include "replication/chunk_position.h"

namespace walrelay::replication {

namespace {

std::string qualified(const std::string& schema, const std::string& table) {
  return quote_identifier(schema) + "." + quote_identifier(table);
}

// The lock comes before the snapshot: a table rewritten or truncated in between would look empty to the snapshot,
// because those commands are not transactional for readers who began before. While it is held no column changes.
// txid_current_snapshot() prints the same as pg_current_snapshot(), and PostgreSQL 12 has it too. A stand-by has no
// insert position.
std::string open_sql(const std::string& table, const std::string& also) {
  return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE ONLY " + table + also +
         " IN ACCESS SHARE MODE; SELECT attname, atttypid FROM pg_attribute WHERE attrelid = " + quote_literal(table) +
         "::regclass AND attnum > 0 AND NOT attisdropped; SELECT txid_current_snapshot(), CASE WHEN pg_is_in_recovery()"
         " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END, pg_relation_filenode(" +
         quote_literal(table) +
         "), current_setting('wal_block_size'), (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size')";
}

}  // namespace

std::string search_path_sql(const std::vector<std::string>& schemas) {
  std::string list;
  for (const std::string& schema : schemas) list += (list.empty() ? "" : ", ") + quote_identifier(schema);
  return list.empty() ? "" : "SET LOCAL search_path = " + list + "; ";
}

std::string chunk_sql(const ChunkRequest& request) {
  std::string columns;
  for (const std::string& column : request.columns)
    columns += (columns.empty() ? " " : ", ") + quote_identifier(column);
  if (!request.select.empty()) return "COPY (" + request.select + ") TO STDOUT";
  return "COPY (SELECT" + columns + " FROM " + (request.only ? "ONLY " : "") +
         qualified(request.schema, request.table) + (request.where.empty() ? "" : " WHERE " + request.where) +
         ") TO STDOUT" + (request.binary ? " WITH (FORMAT binary)" : "");
}

event::Task<ChunkOpened> open_chunk(Connection& connection, std::string schema, std::string table,
                                    std::vector<std::pair<std::string, std::string>> also) {
  const std::string what = "read " + schema + "." + table;
  std::string others;
  for (const auto& [other_schema, name] : also) others += ", ONLY " + qualified(other_schema, name);
  auto opening = connection.query_all(open_sql(qualified(schema, table), others), what);
  const std::vector<Result> results = co_await std::move(opening);
  const Result& result = results.back();
  const Result& attributes = results[results.size() - 2];
  const auto snapshot = Snapshot::parse(result.text(0, 0));
  const auto position = parse_lsn(result.text(0, 1));
  if (!snapshot || !position) {
    connection.close();
    throw PostgresError("", true, what + ": the server answered with a snapshot or a WAL position of unknown form");
  }
  ChunkOpened opened{
      .snapshot = *snapshot,
      .position = before_page_header(*position, std::stoull(result.text(0, 3)), std::stoull(result.text(0, 4))),
      .file = result.text(0, 2),
      .columns = {}};
  for (std::size_t row = 0; row < attributes.rows(); ++row) {
    opened.columns.emplace(attributes.text(row, 0), static_cast<Oid>(std::stoul(attributes.text(row, 1))));
  }
  co_return opened;
}

event::Task<> copy_chunk(Connection& connection, ChunkRequest request, Connection::CopyRow row) {
  const std::string sql = search_path_sql(request.path) + chunk_sql(request) + "; COMMIT";
  auto copying = connection.copy(sql, std::move(row), "read " + request.schema + "." + request.table);
  co_await std::move(copying);
}

}  // namespace walrelay::replication
