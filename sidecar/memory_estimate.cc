#include "sidecar/memory_estimate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sidecar/readable.h"
#include "sinks/memory_cost.h"
#include "sinks/row_error.h"

namespace walrelay::sidecar {
namespace {

using replication::Connection;
using replication::Result;
using replication::TableInfo;
using replication::Value;
using replication::ValueState;

constexpr double kMostRows = 1000, kMostBytes = 8 * 1024 * 1024, kFewPages = 2000;

std::string quoted(const TableInfo& table) {
  return replication::quote_identifier(table.schema) + "." + replication::quote_identifier(table.name);
}

struct Size {
  bool known = false;
  double rows = 0, bytes = 0, pages = 0;
};

// The planner's own estimate: the rows of a page when the table was analyzed, by the pages that it has now. Where it
// never was, reltuples is -1, or 0 before PostgreSQL 14.
event::Task<Size> size_of(Connection& connection, TableInfo table) {
  const std::string sql =
      "SELECT bool_and(pages = 0 OR (reltuples >= 0 AND relpages > 0)), COALESCE(sum(CASE WHEN pages = 0 THEN 0 ELSE "
      "greatest(reltuples, 0)::float8 / greatest(relpages, 1) * pages END), 0), COALESCE(sum(bytes), 0), "
      "COALESCE(sum(pages), 0) FROM (SELECT c.reltuples, c.relpages, pg_table_size(c.oid) AS bytes, "
      "pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages FROM pg_class c WHERE c.relkind = 'r' "
      "AND (c.oid = " +
      std::to_string(table.oid) + " OR c.oid IN (SELECT relid FROM pg_partition_tree(" + std::to_string(table.oid) +
      "::oid::regclass) WHERE isleaf))) t";
  auto asking = connection.query(sql, "read the size of table \"" + table.qualified() + "\"");
  const Result found = co_await std::move(asking);
  Size size;
  size.known = found.text(0, 0) != "f";  // NULL: a root without a partition
  size.rows = std::stod(found.text(0, 1));
  size.bytes = std::stod(found.text(0, 2));
  size.pages = std::stod(found.text(0, 3));
  co_return size;
}

// Single rows of a small table, whole pages of a large one.
std::string sample_sql(const TableInfo& table, const Size& size, bool any) {
  std::string columns;
  for (const auto& column : streamed_columns(table)) {
    columns += (columns.empty() ? "" : ", ") + replication::quote_identifier(column.name);
  }
  const double most = std::clamp(kMostBytes / std::max(1.0, size.bytes / std::max(1.0, size.rows)), 10.0, kMostRows);
  const double percent = std::min(100.0, 100 * most / std::max(1.0, size.rows));
  std::string sql = "SELECT " + columns + " FROM " + (table.partitioned ? "" : "ONLY ") + quoted(table);
  if (!any) {
    sql += std::string(" TABLESAMPLE ") + (size.pages <= kFewPages ? "BERNOULLI (" : "SYSTEM (") +
           std::to_string(percent) + ")";
  }
  if (!table.row_filter.empty()) sql += " WHERE " + table.row_filter;
  return sql + " LIMIT " + std::to_string(static_cast<int>(2 * most));
}

// What one write makes of the table, and whose it is.
struct WriteCost {
  std::string mapping;
  sinks::MemoryCost cost;
  bool counted = false;
};

void add_row(const std::vector<Result::Field>& fields, sinks::RelationWriter& writer,
             std::map<std::uint32_t, WriteCost>& costs) {
  std::vector<Value> row;
  for (const auto& field : fields) {
    row.push_back(field ? Value{ValueState::text, *field} : Value{ValueState::null, {}});
  }
  std::vector<sinks::Expectation> made;
  try {
    writer.expect(row, made);
  } catch (const sinks::RowError&) {  // it will be a poison row, and stand nowhere
    return;
  }
  for (const auto& expected : made) {
    const auto found = costs.find(expected.write);
    if (found == costs.end() || expected.skip) continue;
    found->second.cost.add(expected);
    found->second.counted = true;
  }
}

MappingMemory& memory_of(const std::string& mapping, std::vector<MappingMemory>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.mapping == mapping; });
  if (found != all.end()) return *found;
  all.emplace_back().mapping = mapping;
  return all.back();
}

}  // namespace

event::Task<> estimate_memory(Connection& connection, TableInfo table, Relations::Bound& bound,
                              std::vector<MappingMemory>& mappings) {
  sinks::RelationWriter& writer = *bound.writer;
  std::map<std::uint32_t, WriteCost> costs;
  std::set<std::string> names;
  for (std::size_t i = 0; i < writer.writes().size(); ++i) {
    if (writer.owned()[i].none_at_all()) continue;  // an event
    costs[writer.writes()[i]].mapping = writer.mappings()[i];
    names.insert(writer.mappings()[i]);
  }
  if (names.empty()) co_return;
  auto sizing = size_of(connection, table);
  const Size size = co_await std::move(sizing);
  if (!size.known) {
    for (const auto& name : names) memory_of(name, mappings).unanalyzed.push_back(quoted(table));
    co_return;
  }
  const std::string what = "read a sample of table \"" + table.qualified() + "\"";
  auto sampling = connection.query(sample_sql(table, size, false), what);
  Result rows = co_await std::move(sampling);
  if (rows.empty() && size.rows >= 1) {  // a sample of a page or two may be empty
    auto reading = connection.query(sample_sql(table, size, true), what);
    rows = co_await std::move(reading);
  }
  for (const auto& fields : rows.values_) add_row(fields, writer, costs);
  const double scale = rows.empty() ? 0 : std::max(1.0, size.rows / static_cast<double>(rows.rows()));
  for (const auto& name : names) memory_of(name, mappings).rows += size.rows;
  for (const auto& [number, each] : costs) {
    MappingMemory& memory = memory_of(each.mapping, mappings);
    memory.bytes += each.cost.bytes(scale);
    memory.counted = memory.counted || each.counted || rows.empty();
  }
}

std::string sentence(const MappingMemory& memory) {
  if (!memory.unanalyzed.empty()) {
    std::string text = "the memory in Redis is unknown, because the number of rows is; run ANALYZE ";
    for (const auto& table : memory.unanalyzed) text += (&table == &memory.unanalyzed.front() ? "" : ", ") + table;
    return text;
  }
  if (!memory.counted) return "the memory in Redis is not estimated: rows alone do not say what their documents are";
  return "about " + readable_bytes(std::llround(memory.bytes)) + " in Redis, of about " +
         readable_count(static_cast<std::uint64_t>(std::llround(memory.rows))) + " rows";
}

}  // namespace walrelay::sidecar
