// The question of a sweep: which of these rows are there? Pure.
#pragma once

#include <string>
#include <vector>

#include "replication/publication.h"
#include "replication/relation.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

struct SweepTable {
  std::string schema, name;
  bool partitioned = false;
  std::string row_filter;            // of the publication; empty: none
  std::vector<std::string> columns;  // that readings speak of; none: every row of the table answers every reading
  std::vector<std::string> types;    // of each, as SQL
  std::vector<std::string> found;    // that a place is made of
};

// A SELECT of one line a reading, or more where several rows are equal to it: its number, the texts of its columns as
// their types print them, then the columns `found` of the row in the table, NULL where there is none.
std::string sweep_sql(const SweepTable& table, const std::vector<const sinks::KeyReading*>& readings);

// What such a line looks like, for decoding it: the number, the columns and those found, as text.
replication::Relation sweep_relation(const SweepTable& table, replication::Oid oid);

}  // namespace walrelay::sidecar
