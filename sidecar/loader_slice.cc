// The rows that a request names (loader.h). Few are one chunk, found by an index where there is one. Many are read as a
// whole table is, some pages at a time, so that no transaction stays open for long:
//
//   estimate(table) ──few──> one chunk
//        └─many─> each leaf: estimate(leaf) ──few──> one chunk
//                                └─many─> pages [0,n) AND condition, [n,2n) AND condition, ...
#include <simdjson.h>

#include <algorithm>

#include "sidecar/json_look.h"
#include "sidecar/loader_chunk.h"

namespace walrelay::sidecar {

using replication::ChunkRequest;
using replication::Connection;

namespace {

constexpr std::uint64_t kChunksAtOnce = 8;  // so many chunks' bytes are read as one, rather than look at every page

// The planner's word: rows times their width.
std::uint64_t planned_bytes(const std::string& plan) {
  simdjson::dom::parser parser;
  JsonElement json;
  if (parser.parse(plan).get(json) != simdjson::SUCCESS || json.at(0).get(json) != simdjson::SUCCESS) return 0;
  const auto node = member(json, "Plan");
  if (!node) return 0;
  const double rows = value_of<double>(*node, "Plan Rows").value_or(0);
  return static_cast<std::uint64_t>(rows * value_of<double>(*node, "Plan Width").value_or(0));
}

}  // namespace

struct Loader::Slice {
  Connection& connection;
  const replication::TableInfo& info;
  const Relations::Bound& bound;
  const std::string& condition;
  const ChunkDone& each;
  bool wanted = true;
};

event::Task<std::string> Loader::read_part(Slice& slice, ChunkRequest request) {
  Chunk chunk(*this, *slice.bound.relation, *slice.bound.writer, slice.connection);
  request.where += (request.where.empty() ? "" : " AND ") + slice.condition;
  for (const auto& column : slice.bound.relation->columns) request.columns.push_back(column.name);
  request.binary = options_.format != "text";
  auto running = reader_.run(chunk, std::move(request));
  co_await std::move(running);
  slice.wanted = slice.each(chunk.rows);
  co_return chunk.opened().file;
}

event::Task<std::uint64_t> Loader::estimate(Slice& slice, const ChunkRequest& of) {
  std::string sql = "EXPLAIN (FORMAT JSON) SELECT ";
  for (const auto& column : slice.bound.relation->columns) {
    sql += (&column == slice.bound.relation->columns.data() ? "" : ", ") + replication::quote_identifier(column.name);
  }
  sql += std::string(" FROM ") + (of.only ? "ONLY " : "") + replication::quote_identifier(of.schema) + "." +
         replication::quote_identifier(of.table) + " WHERE " + slice.condition;
  auto asking = slice.connection.query(sql, "estimate the rows asked for of table \"" + slice.info.qualified() + "\"");
  const auto plan = co_await std::move(asking);
  co_return planned_bytes(plan.empty() ? "" : plan.text(0, 0));
}

// A leaf that is rewritten meanwhile is begun again: its rows may stand on other pages.
event::Task<> Loader::read_pages(Slice& slice, LoadLeaf leaf) {
  ChunkRequest request;
  request.schema = leaf.schema;
  request.table = leaf.name;
  auto estimating = estimate(slice, request);
  const std::uint64_t bytes = co_await std::move(estimating);
  const std::uint64_t chunks = bytes / options_.chunk_bytes + 1;
  const bool few = chunks <= kChunksAtOnce;
  const std::uint64_t step = few ? leaf.pages : std::max<std::uint64_t>(1, leaf.pages / chunks);
  LoadRange range;
  while (slice.wanted && !range.last) {
    range.to = range.from + step;
    range.last = range.to >= leaf.pages;
    if (!few) request.where = range.where();
    auto reading = read_part(slice, request);
    const std::string file = co_await std::move(reading);
    if (file != leaf.file) {
      leaf.file = file;
      range = LoadRange();
      continue;
    }
    range.from = range.to;
  }
}

event::Task<> Loader::read_slice(Connection& connection, replication::TableInfo info, std::string where,
                                 ChunkDone each) {
  const auto bound = relations_.bind(info);
  if (!info.row_filter.empty()) where += " AND (" + info.row_filter + ")";
  Slice slice{connection, info, bound, where, each};
  ChunkRequest whole;
  whole.schema = info.schema;
  whole.table = info.name;
  whole.only = !info.partitioned;
  auto estimating = estimate(slice, whole);
  const std::uint64_t bytes = co_await std::move(estimating);
  if (bytes <= kChunksAtOnce * options_.chunk_bytes) {
    auto reading = read_part(slice, std::move(whole));
    co_await std::move(reading);
    co_return;
  }
  auto asking = connection.query(leaves_sql(info), "read the size of table \"" + info.qualified() + "\"");
  const auto found = co_await std::move(asking);
  for (LoadLeaf& leaf : leaves_in(found)) {
    auto reading = read_pages(slice, std::move(leaf));
    co_await std::move(reading);
  }
}

}  // namespace walrelay::sidecar
