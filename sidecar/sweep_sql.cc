#include "sidecar/sweep_sql.h"

#include "replication/connection.h"

namespace walrelay::sidecar {

using replication::quote_identifier;
using replication::quote_literal;

namespace {

std::string column(const char* of, std::size_t number) { return std::string(of) + "." + of + std::to_string(number); }

std::string values(const SweepTable& table, const std::vector<const sinks::KeyReading*>& readings) {
  std::string rows;
  for (std::size_t n = 0; n < readings.size(); ++n) {
    rows += (n == 0 ? "(" : ", (") + std::to_string(n);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      rows += ", " + quote_literal(readings[n]->columns[i].second) + "::" + table.types[i];
    }
    rows += ")";
  }
  return rows;
}

}  // namespace

std::string sweep_sql(const SweepTable& table, const std::vector<const sinks::KeyReading*>& readings) {
  std::string names = "n", chosen, wanted = "v.n", found, condition;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    names += ", v" + std::to_string(i);
    wanted += ", " + column("v", i);
    chosen += quote_identifier(table.columns[i]) + " AS c" + std::to_string(i) + ", ";
    condition += (i == 0 ? "" : " AND ") + std::string("t.c") + std::to_string(i) + " = " + column("v", i);
  }
  for (std::size_t i = 0; i < table.found.size(); ++i) {
    chosen += (i == 0 ? "" : ", ") + quote_identifier(table.found[i]) + " AS t" + std::to_string(i);
    found += ", " + column("t", i);
  }
  return "SELECT " + wanted + found + " FROM (VALUES " + values(table, readings) + ") AS v(" + names +
         ") LEFT JOIN (SELECT " + chosen + " FROM " + (table.partitioned ? "" : "ONLY ") +
         quote_identifier(table.schema) + "." + quote_identifier(table.name) +
         (table.row_filter.empty() ? "" : " WHERE " + table.row_filter) + ") AS t ON " +
         (condition.empty() ? "true" : condition);
}

replication::Relation sweep_relation(const SweepTable& table, replication::Oid oid) {
  replication::Relation relation;
  relation.oid = oid;
  relation.schema = table.schema;
  relation.name = table.name;
  const std::size_t columns = 1 + table.columns.size() + table.found.size();
  for (std::size_t i = 0; i < columns; ++i) relation.columns.push_back({std::to_string(i)});
  return relation;
}

}  // namespace walrelay::sidecar
