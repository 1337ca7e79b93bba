// What the mappings' keys will take in Redis, for `walrelay check`.
//
//   pg_class ──> rows now: reltuples, by what the table has grown since ANALYZE ─────────────┐
//   a sample of the rows ──> the very writes of the mapping ──> MemoryCost of each of them ──┴─> bytes of each mapping
//
// The rows themselves are asked, and not pg_stats' widths: those know neither what an expression gives nor how large a
// value is that is stored apart, and are of PostgreSQL's binary forms, where Redis holds texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "event/task.h"
#include "replication/connection.h"
#include "replication/publication.h"
#include "sidecar/relations.h"

namespace walrelay::sidecar {

struct MappingMemory {
  std::string mapping;
  double rows = 0, bytes = 0;           // of the tables that are known
  bool counted = false;                 // a row has said what it makes, or there is none
  std::vector<std::string> unanalyzed;  // tables of which the server does not know how many rows they have
  [[nodiscard]] bool known() const { return counted && unanalyzed.empty(); }
};

// Reads up to a thousand rows, and about eight megabytes, of the table, and adds what its mappings make of it to
// `mappings`. Throws PostgresError.
event::Task<> estimate_memory(replication::Connection& connection, replication::TableInfo table,
                              Relations::Bound& bound, std::vector<MappingMemory>& mappings);

// "about 12 MiB in Redis, of 20,000 rows"
std::string sentence(const MappingMemory& memory);

}  // namespace walrelay::sidecar
