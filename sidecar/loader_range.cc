// One range of a table, from the plan to the cursor (loader.h).
#include <algorithm>

#include "event/crash_point.h"
#include "sidecar/loader_comparison.h"
#include "sidecar/loader_worker.h"

namespace walrelay::sidecar {

using replication::ChunkRequest;

namespace {

// Where a row is found by its key alone. Others are named by all that they hold, and not every type can be compared.
bool finds_rows(const replication::Relation& relation, const std::vector<std::size_t>& identity) {
  return std::all_of(identity.begin(), identity.end(), [&relation](std::size_t column) {
    const auto& of = relation.columns[column];
    return of.primary || (of.identity && relation.identity != replication::ReplicaIdentity::full);
  });
}

std::string condition_of(const replication::Relation& relation, const std::vector<std::size_t>& identity,
                         const std::vector<std::string>& identities) {
  std::vector<RowKey> rows;
  for (const std::string& row : identities) rows.push_back(row_of_identity(relation, identity, row));
  std::vector<const RowKey*> keys;
  for (const RowKey& row : rows) keys.push_back(&row);
  return "(" + where_clause(keys) + ")";
}

}  // namespace

ChunkRequest Loader::request_of(const TableLoad& table, const LoadRange& range) const {
  const LoadLeaf leaf = table.leaf(range.leaf);
  ChunkRequest request;
  request.schema = leaf.schema;
  request.table = leaf.name;
  request.where = range.where();
  if (!table.info.row_filter.empty()) request.where += " AND (" + table.info.row_filter + ")";
  for (const auto& column : table.bound.relation->columns) request.columns.push_back(column.name);
  request.binary = options_.format != "text";
  return request;
}

event::Task<> Loader::read_range(Worker& worker, TableLoad& table) {
  struct Hold {  // whatever happens, the table knows who reads it, and unread work goes back
    explicit Hold(TableLoad& held) : table(held) { ++table.readers; }
    ~Hold() {
      --table.readers;
      if (range) table.give_back(*range);
      if (planning) table.planning = false;
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    TableLoad& table;
    std::optional<LoadRange> range;
    bool planning = false;
  } hold(table);

  if (!table.planned() && !table.bound.writer->keeps_rows()) table.plan({});  // there is nothing to write
  if (!table.planned()) {
    table.planning = hold.planning = true;
    auto asking =
        worker.connection.query(leaves_sql(table.info), "read the size of table \"" + table.info.qualified() + "\"");
    const auto found = co_await std::move(asking);
    table.plan(leaves_in(found));
    hold.planning = false;
    wake();  // other workers may join
  }
  hold.range = table.take();
  if (!hold.range) {
    finish_table(table);
    co_return;
  }
  const std::string file = table.leaf(hold.range->leaf).file;  // another worker may plan anew meanwhile
  auto reading = read_rows(worker, table, *hold.range);
  const RangeRead read = co_await std::move(reading);
  const LoadRange done = *hold.range;
  hold.range.reset();
  progress_.rows += read.rows;
  if (read.file != file) {  // rewritten: every row may stand elsewhere
    table.restart();
    co_return;
  }
  table.rows += read.rows;
  table.equal += read.equal;
  table.finished(done);
  event::crash_point();
  if (table.abandoned) co_return;
  if (table.done()) {
    finish_table(table);
  } else {
    note_cursor(table.info.qualified(), table.cursor());
  }
}

event::Task<Loader::RangeRead> Loader::read_rows(Worker& worker, TableLoad& table, LoadRange range) {
  ChunkRequest request = request_of(table, range);
  RangeRead read;
  if (table.compares) {
    auto comparing = compare(worker, table, request);
    read = co_await std::move(comparing);
    read.equal = read.rows - std::min<std::uint64_t>(read.rows, read.differing.size());
    if (read.compared && read.differing.empty()) co_return read;
  }
  const auto& identity = table.bound.writer->identity_columns();
  if (read.compared && finds_rows(*table.bound.relation, identity)) {
    request.where = condition_of(*table.bound.relation, identity, read.differing);
    if (!table.info.row_filter.empty()) request.where += " AND (" + table.info.row_filter + ")";
  }
  Chunk chunk(*this, *table.bound.relation, *table.bound.writer, worker.connection);
  chunk.load = &table;
  auto running = reader_.run(chunk, std::move(request));
  co_await std::move(running);
  read.file = chunk.opened().file;
  if (!read.compared) read.rows = chunk.rows;
  co_return read;
}

// Where Redis cannot be asked, or so much differs that it is not worth it, the table is written as it is read.
event::Task<Loader::RangeRead> Loader::compare(Worker& worker, TableLoad& table, ChunkRequest request) {
  RangeRead read;
  std::string trouble;
  try {
    if (worker.redis == nullptr || !worker.redis->is_open()) {
      worker.redis = std::make_unique<sinks::RedisConnection>(loop_, *options_.redis);
      auto opening = worker.redis->open();
      co_await std::move(opening);
    }
    Comparison chunk(*this, *table.bound.relation, *table.bound.writer, worker.connection, *worker.redis);
    chunk.load = &table;
    auto reading = reader_.run(chunk, std::move(request));
    co_await std::move(reading);
    auto finishing = chunk.finish();
    co_await std::move(finishing);
    if (chunk.differ_too_many()) table.compares = false;
    if (!chunk.gave_up()) read = {chunk.rows, 0, chunk.opened().file, true, chunk.take_differing()};
  } catch (const sinks::RedisError& error) {
    trouble = error.what();
  }
  if (trouble.empty()) co_return read;
  worker.redis.reset();
  table.compares = false;
  if (on_trouble) on_trouble("table \"" + table.info.qualified() + "\" is written without a look at Redis: " + trouble);
  co_return read;
}

}  // namespace walrelay::sidecar
