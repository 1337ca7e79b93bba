// `walrelay explain --table T --row JSON`: the Redis commands that a row would cause, and none is sent.
//
//   JSON ─> PostgreSQL reads it as a row of the table, and prints it as the stream would ─> the mappings ─> stdout
#pragma once

#include <string>

#include "config/config.h"
#include "sidecar/policy.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

struct ExplainedRow {
  std::string table;   // "schema.table"
  std::string row;     // a JSON object
  std::string before;  // another: what differed before an update; empty: the row is inserted, or
  bool gone = false;   // it is deleted
};

// `json`: a line for each command, an array of its words; otherwise as redis-cli takes it.
ExitCode explain(const config::Config& config, sinks::MappingSet& mappings, const ExplainedRow& row, bool json);

}  // namespace walrelay::sidecar
