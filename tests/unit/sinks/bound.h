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
  using Lets = std::vector<std::pair<std::string, std::string>>;
  explicit Bound(Table bound, std::vector<WriteSpec> writes, const Lets& lets = {},
                 JsonDocuments json_documents = JsonDocuments::none)
      : table(std::move(bound)), set({with_lets(mapping("m", table.relation.qualified(), std::move(writes)), lets)}) {
    set.set_json_documents(json_documents);
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

  static MappingSpec with_lets(MappingSpec spec, const Lets& lets) {
    spec.let = lets;
    return spec;
  }

  // What apply() throws as a RowError; empty: nothing.
  std::string row_error(const Change& change) {
    try {
      apply(change);
    } catch (const RowError& error) {
      return error.what();
    }
    return "";
  }

  Table table;
  MappingSet set;
  std::unique_ptr<RelationWriter> writer;
  Batch batch;
};

inline Table users() { return {"public.users", {"id:integer:key", "name:text", "doc:jsonb"}}; }

}  // namespace walrelay::sinks::testing
