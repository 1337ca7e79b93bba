// One table with its writes bound, and the batch that they fill.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model_redis.h"
#include "specs.h"
#include "tables.h"

namespace walrelay::sinks::testing {

using Outcome = RelationWriter::Outcome;

struct Bound {
  explicit Bound(Table bound, std::vector<WriteSpec> writes)
      : table(std::move(bound)), set({mapping("m", table.relation.qualified(), std::move(writes))}) {
    writer = set.bind(table.relation);
  }
  std::vector<std::string> lines() {
    std::vector<std::string> all = lines_of(batch);
    batch.clear();
    return all;
  }
  Outcome apply(const Change& change, bool keep_unchanged = true) {
    return writer->apply(change, keep_unchanged, batch);
  }

  Table table;
  MappingSet set;
  std::unique_ptr<RelationWriter> writer;
  Batch batch;
};

inline Table users() { return {"public.users", {"id:integer:key", "name:text", "doc:jsonb"}}; }

}  // namespace walrelay::sinks::testing
